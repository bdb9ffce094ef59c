/**
 * A grant's effective status as SQL; the same rule as `grantAsOf`. The license is looked at only for what is due of it.
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
  return `coalesce((SELECT CASE
      WHEN ${alias}.status = 'REVOKED' AND ${alias}.revocation_causes = '{}' THEN ${alias}.status
      WHEN ${revoked} THEN 'REVOKED'::grant_status
      WHEN ${alias}.status = 'REVOKED' AND array_remove(${alias}.revocation_causes, ${ended}) = '{}'
        THEN ${alias}.status_before_revocation
      ELSE ${alias}.status END
    FROM licenses l WHERE l.business_id = ${alias}.business_id AND l.mode = ${alias}.mode AND l.id = ${alias}.license_id
      AND (l.pending_status_at <= ${now} OR ${expired})), ${alias}.status)`;
}
