import type { DateTimeFilter, LicenseOrder, LicenseWhere } from '../generated/graphql.js';
import { isOneOf } from '../grants/listGrants.js';
import { inBrand } from '../kernel/brand.js';
import { hasMetadata, isAnyOf, isWithin, type Condition } from '../kernel/condition.js';
import { uuidOf } from '../kernel/id.js';
import type { ListOrder, ListSpec, PageArgs } from '../kernel/page.js';
import type { RequestContext } from '../kernel/requestContext.js';
import { scopeOf } from '../kernel/tenancy.js';
import { effectiveOffering, effectiveStart, effectiveStatus, isOfferingDue } from '../lifecycle/effective.js';

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
    ...isOneOf('package_id', 'Package', where.packageId?.in),
    ...(where.validFrom ? [startsWithin(where.validFrom, now)] : []),
    ...isWithin('t.valid_until', where.validUntil ?? {}),
    ...isWithin('t.created_at', where.createdAt ?? {}),
  ];
  if (where.number) conditions.push(isAnyOf('number', where.number.in, 'text'));
  if (where.type) conditions.push(isOfType(where.type.in, now));
  if (where.productOfferingId) conditions.push(isForOffering(where.productOfferingId.in, now));
  if (where.assignedToId) conditions.push(isAnyOf('assigned_to_id', where.assignedToId.in, 'text'));
  if (where.metadata) conditions.push(hasMetadata(where.metadata));
  if (status) {
    conditions.push((place) => `(${effectiveStatus(`${place(now)}::timestamptz`)})::text = ANY(${place(status.in)})`);
  }
  return conditions;
}

// What has changed by itself and is not written yet is found by indexes of its own; the stored column finds all others.

function isForOffering(ids: readonly string[], now: Date): Condition {
  const uuids = ids.map((id) => uuidOf('ProductOffering', id));
  return (place) => {
    const [any, at] = [`ANY(${place(uuids)}::uuid[])`, `${place(now)}::timestamptz`];
    return `(t.product_offering_id = ${any} OR (t.pending_offering_id IS NOT NULL AND t.pending_offering_at <= ${at})) AND ${effectiveOffering(at)} = ${any}`;
  };
}

function isOfType(types: readonly string[], now: Date): Condition {
  return (place) => {
    const [any, at] = [`ANY(${place(types)}::text[])`, `${place(now)}::timestamptz`];
    return `CASE WHEN ${isOfferingDue(at)} THEN (SELECT o.license_type FROM product_offerings o
      WHERE o.business_id = t.business_id AND o.id = t.pending_offering_id) ELSE t.type END = ${any}`;
  };
}

function startsWithin(window: DateTimeFilter, now: Date): Condition {
  return (place) => {
    const at = `${place(now)}::timestamptz`;
    const within = (start: string) =>
      isWithin(start, window)
        .map((condition) => condition(place))
        .join(' AND ') || 'true';
    return `(${within('t.valid_from')} OR (t.pending_status IS NOT NULL AND t.pending_status_at <= ${at})) AND ${within(effectiveStart(at))}`;
  };
}

function orderOf(orderBy: LicenseListArgs['orderBy']): ListOrder {
  const direction = orderBy?.direction ?? 'DESC';
  return orderBy?.field === 'VALID_FROM'
    ? { name: 'VALID_FROM', expression: 't.valid_from', type: 'timestamptz', direction }
    : { name: 'CREATED_AT', expression: 't.created_at', type: 'timestamptz', direction };
}
