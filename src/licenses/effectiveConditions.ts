import type { LicenseWhere } from '../generated/graphql.js';
import { isAnyOf, isWithin, type Condition } from '../kernel/condition.js';
import type { Alternative } from '../kernel/page.js';
import { uuidOf } from '../kernel/id.js';
import { effectiveOffering, effectiveStart, effectiveStatus, isOfferingDue } from '../lifecycle/effective.js';

/**
 * Conditions on what changes by itself: status, offering, type and start, as they are at an instant. Two alternatives, of which
 * each license meets at most one: of nearly all licenses nothing is due, and their stored columns say it, in the order of an
 * index; of the few that the worker has not written yet, found by partial indexes, it is computed.
 * @returns undefined when nothing of this is asked for
 */
export function effectiveConditions(where: LicenseWhere, now: Date): readonly Alternative[] | undefined {
  const { status, productOfferingId, type, validFrom } = where;
  if (!status && !productOfferingId && !type && !validFrom) return undefined;
  return [
    { conditions: [isDue(now, false), ...asStored(where)] },
    { conditions: [isDue(now, true), ...asComputed(where, now)], few: true },
  ];
}

/** Whether a change of the status or the offering has come true and is not written yet. */
function isDue(now: Date, expected: boolean): Condition {
  return (place) => {
    const at = `${place(now)}::timestamptz`;
    const scheduled = `(t.pending_status IS NOT NULL AND t.pending_status_at <= ${at})`;
    const started = `(t.status = 'PENDING' AND t.valid_from <= ${at})`;
    const offered = `(t.pending_offering_id IS NOT NULL AND t.pending_offering_at <= ${at})`;
    return `(${scheduled} OR ${started} OR ${offered})${expected ? '' : ' IS NOT TRUE'}`;
  };
}

function asStored({ status, productOfferingId, type, validFrom }: LicenseWhere): Condition[] {
  const conditions = isWithin('t.valid_from', validFrom ?? {});
  if (status) conditions.push(isAnyOf('status', status.in, 'license_status'));
  if (type) conditions.push(isAnyOf('type', type.in, 'text'));
  if (productOfferingId) conditions.push(isAnyOf('product_offering_id', offeringsOf(productOfferingId.in), 'uuid'));
  return conditions;
}

function asComputed({ status, productOfferingId, type, validFrom }: LicenseWhere, now: Date): Condition[] {
  const conditions: Condition[] = [];
  const add = (values: readonly string[], cast: string, expression: (at: string) => string) =>
    conditions.push((place) => `${expression(`${place(now)}::timestamptz`)} = ANY(${place(values)}::${cast}[])`);
  if (status) add(status.in, 'license_status', (at) => `(${effectiveStatus(at)})`);
  if (type) add(type.in, 'text', effectiveType);
  if (productOfferingId) add(offeringsOf(productOfferingId.in), 'uuid', (at) => `(${effectiveOffering(at)})`);
  if (validFrom) conditions.push((place) => startsWithin(`${place(now)}::timestamptz`, validFrom)(place));
  return conditions;
}

function offeringsOf(ids: readonly string[]): string[] {
  return ids.map((id) => uuidOf('ProductOffering', id));
}

function effectiveType(at: string): string {
  return `(CASE WHEN ${isOfferingDue(at)} THEN (SELECT o.license_type FROM product_offerings o
    WHERE o.business_id = t.business_id AND o.id = t.pending_offering_id) ELSE t.type END)`;
}

function startsWithin(at: string, window: NonNullable<LicenseWhere['validFrom']>): Condition {
  const conditions = isWithin(`(${effectiveStart(at)})`, window);
  return (place) => conditions.map((condition) => condition(place)).join(' AND ') || 'true';
}
