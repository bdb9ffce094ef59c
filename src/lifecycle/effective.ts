/**
 * A license's effective status as SQL; the same rule as `statusOf`.
 * @param now the placeholder of the instant
 * @param alias of `licenses`
 */
export function effectiveStatus(now: string, alias = 't'): string {
  return `CASE WHEN ${alias}.pending_status_at <= ${now} THEN ${alias}.pending_status
    WHEN ${alias}.status = 'PENDING' AND ${alias}.valid_from <= ${now} THEN 'ACTIVE'::license_status ELSE ${alias}.status END`;
}

/** Whether a license is cancelled at an instant, as SQL: also when that was scheduled and is not written yet. */
export function isCancelled(now: string, alias = 't'): string {
  return `(${alias}.status = 'CANCELLED' OR (${alias}.pending_status = 'CANCELLED' AND ${alias}.pending_status_at <= ${now}) IS TRUE)`;
}

/** Whether a license's scheduled offering has come true and is not written yet, as SQL. */
export function isOfferingDue(now: string, alias = 't'): string {
  return `(${alias}.pending_offering_at <= ${now}
    AND (${alias}.pending_status = 'CANCELLED' AND ${alias}.pending_status_at <= ${alias}.pending_offering_at) IS NOT TRUE) IS TRUE`;
}

/** The offering that a license is for at an instant, as SQL. */
export function effectiveOffering(now: string, alias = 't'): string {
  return `CASE WHEN ${isOfferingDue(now, alias)} THEN ${alias}.pending_offering_id ELSE ${alias}.product_offering_id END`;
}

/** From when a license counts, as SQL: a scheduled activation that has come true moved its start. */
export function effectiveStart(now: string, alias = 't'): string {
  return `CASE WHEN ${alias}.status = 'PENDING' AND ${alias}.pending_status = 'ACTIVE' AND ${alias}.pending_status_at <= ${now}
    THEN ${alias}.pending_status_at ELSE ${alias}.valid_from END`;
}
