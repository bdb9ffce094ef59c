import type { DiscountRedemptionsArgs } from '../generated/graphql.js';
import { isAnyOf, isWithin, type Condition } from '../kernel/condition.js';
import { uuidOf } from '../kernel/id.js';
import type { ListSpec } from '../kernel/page.js';
import type { RequestContext } from '../kernel/requestContext.js';
import { scopeOf } from '../kernel/tenancy.js';

/** What the arguments of lists of redemptions mean; to a session, its own. */
export function redemptionList(
  ctx: RequestContext,
  { where, orderBy }: Partial<DiscountRedemptionsArgs>,
): ListSpec<'DiscountRedemption'> {
  const conditions: Condition[] = [...isWithin('t.created_at', where?.createdAt ?? {})];
  const customers = where?.customerId?.in.map((id) => uuidOf('Customer', id));
  if (customers) conditions.push(isAnyOf('customer_id', customers, 'uuid'));
  const discounts = where?.discountId?.in.map((id) => uuidOf('Discount', id));
  if (discounts) conditions.push(isAnyOf('discount_id', discounts, 'uuid'));
  const direction = orderBy?.direction ?? 'DESC';
  return {
    model: 'DiscountRedemption',
    scope: scopeOf(ctx, 'DiscountRedemption'),
    conditions,
    order: { name: 'CREATED_AT', expression: 't.created_at', type: 'timestamptz', direction },
  };
}
