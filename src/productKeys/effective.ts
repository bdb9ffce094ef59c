/**
 * A product key's effective status as SQL; the same rule as `statusOf`.
 * @param now the placeholder of the instant
 * @param alias of `product_keys`
 */
export function effectiveStatus(now: string, alias = 't'): string {
  const t = alias;
  return `(CASE WHEN ${t}.status IN ('CANCELLED', 'EXPIRED') THEN ${t}.status
    WHEN ${t}.cancel_at <= ${now} AND (${t}.expires_at < ${t}.cancel_at) IS NOT TRUE THEN 'CANCELLED'::product_key_status
    WHEN ${t}.expires_at <= ${now} THEN 'EXPIRED'
    WHEN ${t}.status IN ('DISABLED', 'ACTIVE') THEN ${t}.status
    WHEN ${t}.starts_at > ${now} THEN ${t}.status
    WHEN ${t}.trial_ends_at > ${now} THEN 'TRIALING' ELSE 'ACTIVE' END)`;
}
