/**
 * A grant's effective status as SQL; the same rule as `grantAsOf`. The license is looked at only for what is due of it: that is
 * asked first, because PostgreSQL answers it for many grants at once, from the small indexes of what is due.
 * @param now the placeholder of the instant
 * @param alias of `grants`
 */
export function effectiveGrantStatus(now: string, alias = 't'): string {
  const scheduled = (...statuses: string[]) =>
    `(l.pending_status_at <= ${now} AND l.pending_status IN (${statuses.map((one) => `'${one}'`).join(', ')})) IS TRUE`;
  const expired = `(l.valid_until <= ${now} AND l.expired_at IS NULL AND l.status <> 'CANCELLED')`;
  const revoked = `${scheduled('CANCELLED', 'BLOCKED')} OR (${scheduled('PAUSED')} AND l.status <> 'BLOCKED')
      OR (${expired} AND l.renewal_id IS NULL) IS TRUE`;
  const ended = `CASE WHEN l.status = 'BLOCKED' AND ${scheduled('ACTIVE', 'PAUSED')} THEN 'LICENSE_BLOCKED'
      WHEN l.status = 'PAUSED' AND ${scheduled('ACTIVE')} THEN 'LICENSE_PAUSED' END`;
  const own = `l.business_id = ${alias}.business_id AND l.mode = ${alias}.mode AND l.id = ${alias}.license_id`;
  const due = `((l.pending_status IS NOT NULL AND l.pending_status_at <= ${now}) OR ${expired})`;
  return `CASE WHEN EXISTS (SELECT 1 FROM licenses l WHERE ${own} AND ${due}) THEN (SELECT CASE
      WHEN ${alias}.status = 'REVOKED' AND ${alias}.revocation_causes = '{}' THEN ${alias}.status
      WHEN ${revoked} THEN 'REVOKED'::grant_status
      WHEN ${alias}.status = 'REVOKED' AND array_remove(${alias}.revocation_causes, ${ended}) = '{}'
        THEN ${alias}.status_before_revocation
      ELSE ${alias}.status END
    FROM licenses l WHERE ${own}) ELSE ${alias}.status END`;
}
