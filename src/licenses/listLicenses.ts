import type { LicenseOrder, LicenseWhere } from '../generated/graphql.js';
import { isOneOf } from '../grants/listGrants.js';
import { inBrand } from '../kernel/brand.js';
import { hasMetadata, isAnyOf, isWithin, type Condition } from '../kernel/condition.js';
import type { ListOrder, ListSpec, PageArgs } from '../kernel/page.js';
import type { RequestContext } from '../kernel/requestContext.js';
import { scopeOf } from '../kernel/tenancy.js';
import { effectiveStatus } from './license.js';

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
    conditions: [...inBrand(ctx), ...(where ? conditionsOf(where, ctx.now) : [])],
    order: orderOf(orderBy),
  };
}

/** An order's licenses, the oldest first. */
export function licensesOfOrderList(ctx: RequestContext): ListSpec<'License'> {
  return licenseList(ctx, { orderBy: { field: 'CREATED_AT', direction: 'ASC' } });
}

function conditionsOf(where: LicenseWhere, now: Date): Condition[] {
  const { status } = where;
  const conditions = [
    ...isOneOf('id', 'License', where.id?.in),
    ...isOneOf('customer_id', 'Customer', where.customerId?.in),
    ...isOneOf('product_offering_id', 'ProductOffering', where.productOfferingId?.in),
    ...isOneOf('package_id', 'Package', where.packageId?.in),
    ...isWithin('t.valid_from', where.validFrom ?? {}),
    ...isWithin('t.valid_until', where.validUntil ?? {}),
    ...isWithin('t.created_at', where.createdAt ?? {}),
  ];
  if (where.number) conditions.push(isAnyOf('number', where.number.in, 'text'));
  if (where.type) conditions.push(isAnyOf('type', where.type.in, 'text'));
  if (where.assignedToId) conditions.push(isAnyOf('assigned_to_id', where.assignedToId.in, 'text'));
  if (where.metadata) conditions.push(hasMetadata(where.metadata));
  if (status) {
    conditions.push((place) => `(${effectiveStatus(`${place(now)}::timestamptz`)})::text = ANY(${place(status.in)})`);
  }
  return conditions;
}

function orderOf(orderBy: LicenseListArgs['orderBy']): ListOrder {
  const direction = orderBy?.direction ?? 'DESC';
  return orderBy?.field === 'VALID_FROM'
    ? { name: 'VALID_FROM', expression: 't.valid_from', type: 'timestamptz', direction }
    : { name: 'CREATED_AT', expression: 't.created_at', type: 'timestamptz', direction };
}
