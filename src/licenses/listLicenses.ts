import type { LicenseOrder, LicenseOrderField, LicenseWhere } from '../generated/graphql.js';
import { isOneOf } from '../grants/listGrants.js';
import { inBrand } from '../kernel/brand.js';
import { hasMetadata, isAnyOf, isWithin, type Condition } from '../kernel/condition.js';
import type { ListOrder, ListSpec, PageArgs } from '../kernel/page.js';
import type { RequestContext } from '../kernel/requestContext.js';
import { scopeOf } from '../kernel/tenancy.js';
import { effectiveConditions } from './effectiveConditions.js';

/** What says which licenses are listed, and in which order; where absent: all, the newest first. */
export interface LicenseListArgs extends PageArgs {
  where?: LicenseWhere | null;
  orderBy?: LicenseOrder | null;
}

/** What the arguments of `licenses` mean, at the root and below other objects. */
export function licenseList(ctx: RequestContext, { where, orderBy }: LicenseListArgs): ListSpec<'License'> {
  return {
    model: 'License',
    scope: scopeOf(ctx, 'License'),
    conditions: [...inBrand(ctx), ...(where ? conditionsOf(where) : [])],
    alternatives: where ? effectiveConditions(where, ctx.now) : undefined,
    order: orderOf(orderBy),
  };
}

/** An order's licenses, the oldest first. */
export function licensesOfOrderList(ctx: RequestContext): ListSpec<'License'> {
  return licenseList(ctx, { orderBy: { field: 'CREATED_AT', direction: 'ASC' } });
}

/** Conditions on what does not change by itself. */
function conditionsOf(where: LicenseWhere): Condition[] {
  const conditions = [
    ...isOneOf('id', 'License', where.id?.in),
    ...isOneOf('customer_id', 'Customer', where.customerId?.in),
    ...isOneOf('package_id', 'Package', where.packageId?.in),
    ...isOneOf('order_id', 'Order', where.orderId?.in),
    ...endsWithin(where.validUntil),
    ...isWithin('t.created_at', where.createdAt ?? {}),
  ];
  const tags = where.tag?.in;
  if (where.number) conditions.push(isAnyOf('number', where.number.in, 'text'));
  if (where.assignedToId) conditions.push(isAnyOf('assigned_to_id', where.assignedToId.in, 'text'));
  if (tags) conditions.push((place) => `t.tags && ${place(tags)}::text[]`);
  if (where.metadata) conditions.push(hasMetadata(where.metadata));
  return conditions;
}

/** As the index on the ends has them; a permanent license, which lasts to infinity, has no end that could lie in a window. */
const END = "coalesce(t.valid_until, 'infinity'::timestamptz)";

function endsWithin(window: LicenseWhere['validUntil']): Condition[] {
  if (!window?.gte && !window?.lt) return [];
  return [...isWithin(END, window), () => 't.valid_until IS NOT NULL'];
}

const orders = {
  CREATED_AT: 't.created_at',
  VALID_FROM: 't.valid_from',
  VALID_UNTIL: END,
} satisfies Record<LicenseOrderField, string>;

function orderOf(orderBy: LicenseListArgs['orderBy']): ListOrder {
  const { field: name = 'CREATED_AT', direction = 'DESC' } = orderBy ?? {};
  return { name, expression: orders[name], type: 'timestamptz', direction };
}
