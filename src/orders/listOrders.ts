import type { QueryOrdersArgs } from '../generated/graphql.js';
import { uuidOf } from '../kernel/id.js';
import { isAnyOf, isWithin, type Condition } from '../kernel/condition.js';
import type { ListSpec } from '../kernel/page.js';
import { tenantViewer, type RequestContext } from '../kernel/requestContext.js';
import { scopeOf } from '../kernel/tenancy.js';

/** What the arguments of `orders` mean. */
export function orderList(ctx: RequestContext, { where, orderBy }: QueryOrdersArgs): ListSpec<'Order'> {
  const { brandId } = tenantViewer(ctx);
  const direction = orderBy?.direction ?? 'DESC';
  return {
    model: 'Order',
    scope: { ...scopeOf(ctx, 'Order'), ...(brandId ? { brand_id: brandId } : {}) },
    conditions: conditionsOf(where ?? {}),
    order: { name: 'CREATED_AT', expression: 't.created_at', type: 'timestamptz', direction },
  };
}

function conditionsOf(where: NonNullable<QueryOrdersArgs['where']>): Condition[] {
  const conditions: Condition[] = [];
  if (where.id) {
    const ids = where.id.in.map((id) => uuidOf('Order', id));
    conditions.push(isAnyOf('id', ids, 'uuid'));
  }
  if (where.number) conditions.push(isAnyOf('number', where.number.in, 'text'));
  if (where.customerId) {
    const ids = where.customerId.in.map((id) => uuidOf('Customer', id));
    conditions.push(isAnyOf('customer_id', ids, 'uuid'));
  }
  const statuses = where.status?.in;
  if (statuses) conditions.push((place) => `t.status = ANY(${place(statuses)}::order_status[])`);
  if (where.createdAt) conditions.push(...isWithin('t.created_at', where.createdAt));
  return conditions;
}
