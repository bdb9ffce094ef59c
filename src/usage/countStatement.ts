import { columnsOf } from '../kernel/rows.js';
import { effectiveStatus } from '../productKeys/effective.js';
import { MOST, thresholdDue } from './usage.js';

const byId = `SELECT k.*, NULL::timestamptz AS replaced_until FROM product_keys k
  WHERE k.business_id = $1 AND k.mode = $2 AND k.id = $3::uuid`;

/** While secrets are rotated a text has a value under each, so that it may be found twice. */
const byText = `SELECT k.*, r.grace_until AS replaced_until FROM product_key_lookups t
  JOIN product_keys k ON k.business_id = t.business_id AND k.mode = t.mode AND k.id = t.product_key_id
  LEFT JOIN product_key_rotations r ON r.business_id = t.business_id AND r.mode = t.mode AND r.id = t.rotation_id
  WHERE t.business_id = $1 AND t.mode = $2 AND t.key_hmac = ANY($3::bytea[]) LIMIT 1`;

/** As `occurrenceOf`, of the meter `c`. */
const occurrence = 'greatest(least(coalesce($6::timestamptz, $4), $4), c.period_starts_at)';

/**
 * Counts a use, all or nothing, and says what it found. The guard stands in the UPDATE: of callers at once each waits for the one
 * before it and judges the counter that it left. Two at once under one usage key: the second violates the primary key of
 * `product_key_usages`, and the whole statement is undone. What begins a period or exceeds the threshold is left to a transaction,
 * as it writes more than a count.
 */
function countStatement(source: string): string {
  return `
  WITH k AS MATERIALIZED (${source}),
  target AS MATERIALIZED (SELECT k.id, ${effectiveStatus('$4', 'k')} AS status, k.replaced_until, c.brand_id FROM k
    JOIN customers c ON c.business_id = k.business_id AND c.mode = k.mode AND c.id = k.customer_id),
  prior AS MATERIALIZED (SELECT u.* FROM target t
    JOIN product_key_meters m ON m.business_id = $1 AND m.mode = $2 AND m.id = t.id
    JOIN product_key_usages u ON u.business_id = $1 AND u.mode = $2 AND u.product_key_id = t.id
      AND u.period_starts_at = m.period_starts_at AND u.key_hash = $7::bytea),
  counted AS (
    UPDATE product_key_meters m SET consumed = m.consumed + $5::bigint FROM target t
    WHERE m.business_id = $1 AND m.mode = $2 AND m.id = t.id AND t.status IN ('TRIALING', 'ACTIVE')
      AND (t.replaced_until > $4) IS NOT FALSE AND (t.brand_id = $8::uuid) IS NOT FALSE
      AND m.closed_at IS NULL AND (m.period_ends_at > $4) IS NOT FALSE AND ($6::timestamptz >= m.period_starts_at) IS NOT FALSE
      AND m.consumed <= ${MOST} - $5::bigint
      AND (m.over_quota = 'METER' OR $5::bigint <= m.quota - m.consumed) IS NOT FALSE
      AND NOT ${thresholdDue('$5::bigint')} AND NOT EXISTS (SELECT FROM prior)
    RETURNING m.*),
  noted AS (
    INSERT INTO product_key_usages (business_id, mode, product_key_id, period_starts_at, key_hash, period_ends_at, amount, given_at,
      occurred_at, consumed, quota, created_at)
    SELECT $1, $2, c.id, c.period_starts_at, $7::bytea, c.period_ends_at, $5::bigint, $6::timestamptz, ${occurrence}, c.consumed,
      c.quota, $4 FROM counted c WHERE $7::bytea IS NOT NULL),
  hourly AS (
    INSERT INTO product_key_usage_hours AS h (business_id, mode, product_key_id, hour, amount, corrected, calls)
    SELECT $1, $2, c.id, date_trunc('hour', ${occurrence}, 'UTC'), $5::bigint, 0, 1 FROM counted c
    ON CONFLICT (business_id, mode, product_key_id, hour) DO UPDATE
      SET amount = h.amount + excluded.amount, calls = h.calls + 1)
  SELECT t.status, t.replaced_until AS "replacedUntil", t.brand_id AS "brandId", ${columnsOf('ProductKeyMeter', 'm')},
      c.consumed AS "countedConsumed", c.quota AS "countedQuota", ${occurrence} AS "countedAt",
      c.period_starts_at AS "countedFrom", c.period_ends_at AS "countedTo",
      u.amount AS "priorAmount", u.given_at AS "priorGivenAt", u.occurred_at AS "priorAt", u.consumed AS "priorConsumed",
      u.quota AS "priorQuota"
    FROM target t
    JOIN product_key_meters m ON m.business_id = $1 AND m.mode = $2 AND m.id = t.id
    LEFT JOIN counted c ON true LEFT JOIN prior u ON true`;
}

/**
 * Counts a use of the product key with an id. $1 business, $2 mode, $3 id, $4 now, $5 amount, $6 when it happened or null, $7 the
 * usage key's hash or null, $8 the brand that `Brand-URL` names or null.
 */
export const countById = countStatement(byId);

/** The same for a text: $3 its look-up values. */
export const countByText = countStatement(byText);
