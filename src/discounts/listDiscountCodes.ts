import type { DiscountCodesArgs } from '../generated/graphql.js';
import { isAnyOf, type Condition } from '../kernel/condition.js';
import type { ListSpec } from '../kernel/page.js';
import type { RequestContext } from '../kernel/requestContext.js';
import { scopeOf } from '../kernel/tenancy.js';
import { codeKeyOf } from './code.js';

/** What the arguments of `Discount.codes` mean: the discount's own code comes first, then the others as they were generated. */
export function discountCodeList(ctx: RequestContext, { where }: DiscountCodesArgs): ListSpec<'DiscountCode'> {
  const conditions: Condition[] = [];
  if (where?.code) conditions.push(isAnyOf('code_key', where.code.in.map(codeKeyOf), 'text'));
  return {
    model: 'DiscountCode',
    scope: scopeOf(ctx, 'DiscountCode'),
    conditions,
    order: { name: 'CREATED_AT', expression: 't.created_at', type: 'timestamptz', direction: 'ASC' },
  };
}
