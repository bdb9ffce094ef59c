import type { QueryPendingGrantsArgs } from '../generated/graphql.js';
import { inBrand } from '../kernel/brand.js';
import { isWithin, type Condition } from '../kernel/condition.js';
import type { ListOrder, ListSpec } from '../kernel/page.js';
import type { RequestContext } from '../kernel/requestContext.js';
import { scopeOf } from '../kernel/tenancy.js';
import { effectiveGrantStatus } from './effectiveGrantStatus.js';
import { isOneOf } from './listGrants.js';

/** What the arguments of `pendingGrants` mean: grants whose key a person has to supply, the oldest first. */
export function pendingGrantList(
  ctx: RequestContext,
  { where, orderBy }: Pick<QueryPendingGrantsArgs, 'where' | 'orderBy'>,
): ListSpec<'Grant'> {
  const kind = `t.integration_type = 'LICENSE_KEY' AND t.fulfillment_mode = 'MANUAL'`;
  return {
    model: 'Grant',
    scope: scopeOf(ctx, 'Grant'),
    conditions: [isPending(ctx.now), () => kind, ...inBrand(ctx), ...(where ? conditionsOf(where, ctx.now) : [])],
    order: orderOf(orderBy),
  };
}

/** Pending at this moment. The first part is what the queue's indexes hold: word for word, or they are not used. */
function isPending(now: Date): Condition {
  return (place) => `(t.status = 'PENDING' OR (t.status_before_revocation = 'PENDING' AND t.revocation_causes <> '{}'))
    AND ${effectiveGrantStatus(`${place(now)}::timestamptz`)} = 'PENDING'`;
}

function conditionsOf(where: NonNullable<QueryPendingGrantsArgs['where']>, now: Date): Condition[] {
  const { isClaimed } = where;
  const conditions = [
    ...isOneOf('entitlement_id', 'Entitlement', where.entitlementId?.in),
    ...isOneOf('customer_id', 'Customer', where.customerId?.in),
    ...isWithin('t.due_at', where.dueAt ?? {}),
  ];
  // A claim whose time is over is none.
  if (isClaimed != null) {
    conditions.push((place) => `(t.claimed_until > ${place(now)}) IS ${isClaimed ? 'TRUE' : 'NOT TRUE'}`);
  }
  return conditions;
}

function orderOf(orderBy: QueryPendingGrantsArgs['orderBy']): ListOrder {
  const direction = orderBy?.direction ?? 'ASC';
  return orderBy?.field === 'DUE_AT'
    ? { name: 'DUE_AT', expression: `coalesce(t.due_at, 'infinity'::timestamptz)`, type: 'timestamptz', direction }
    : { name: 'CREATED_AT', expression: 't.created_at', type: 'timestamptz', direction };
}
