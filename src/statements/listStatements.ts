import type { QueryProductKeyStatementsArgs } from '../generated/graphql.js';
import { inBrand } from '../kernel/brand.js';
import { isAnyOf, isWithin, type Condition } from '../kernel/condition.js';
import { uuidOf, type IdType } from '../kernel/id.js';
import type { ListSpec } from '../kernel/page.js';
import type { RequestContext } from '../kernel/requestContext.js';
import { scopeOf } from '../kernel/tenancy.js';

/** What the arguments of `productKeyStatements` mean, at the root and below a product key; to a session, its own. */
export function statementList(
  ctx: RequestContext,
  { where, orderBy }: QueryProductKeyStatementsArgs,
): ListSpec<'ProductKeyStatement'> {
  const conditions: Condition[] = [
    ...inBrand(ctx),
    ...isWithin('t.closed_at', where?.closedAt ?? {}),
    ...isWithin('t.ends_at', where?.periodEnd ?? {}),
    ...isOneOf('id', 'ProductKeyStatement', where?.id?.in),
    ...isOneOf('product_key_id', 'ProductKey', where?.productKeyId?.in),
    ...isOneOf('customer_id', 'Customer', where?.ownerId?.in),
  ];
  if (where?.currencyCode) conditions.push(isAnyOf('currency', where.currencyCode.in, 'text'));
  const direction = orderBy?.direction ?? 'DESC';
  return {
    model: 'ProductKeyStatement',
    scope: scopeOf(ctx, 'ProductKeyStatement'),
    conditions,
    order: { name: 'CLOSED_AT', expression: 't.closed_at', type: 'timestamptz', direction },
  };
}

function isOneOf(column: string, type: IdType, ids: readonly string[] | undefined): Condition[] {
  return ids
    ? [
        isAnyOf(
          column,
          ids.map((id) => uuidOf(type, id)),
          'uuid',
        ),
      ]
    : [];
}
