import { columnsOf } from '../kernel/rows.js';

const ofKey = 'business_id = k.business_id AND n.mode = k.mode AND n.product_key_id = k.id';

/** Whether the key names an organization. */
const names = (organization: string) =>
  `EXISTS (SELECT FROM product_key_organizations n WHERE n.${ofKey} AND n.organization_id = ${organization})`;

/**
 * Everything that an access is judged by; always one row. Known and unknown keys are looked up alike; which keys the texts are is
 * asked in both modes. $1 business, $2 mode, $3 and $4 the look-up values with their modes, $5 SKU, $6 e-mail address or
 * null, $7 organization or null.
 */
export const accessStatement = `
  WITH asked AS MATERIALIZED (SELECT * FROM unnest($3::mode[], $4::bytea[]) AS a (mode, key_hmac)),
  hit AS MATERIALIZED (SELECT DISTINCT a.mode, t.product_key_id, r.grace_until FROM asked a
    JOIN product_key_lookups t ON t.business_id = $1 AND t.mode = a.mode AND t.key_hmac = a.key_hmac
    LEFT JOIN product_key_rotations r ON r.business_id = t.business_id AND r.mode = t.mode AND r.id = t.rotation_id)
  SELECT ${columnsOf('ProductKeyMeter', 'm')}, h.product_key_id AS "productKeyId", h.grace_until AS "graceUntil",
      EXISTS (SELECT FROM hit o WHERE o.mode <> $2) AS "isInOtherMode", c.brand_id AS "brandId",
      k.status, k.starts_at AS "startsAt", k.trial_ends_at AS "trialEndsAt", k.trial_notice_at AS "trialNoticeAt",
      k.trial_notified_at AS "trialNotifiedAt", k.expires_at AS "expiresAt", k.cancel_at AS "cancelAt", k.disabled_by AS "disabledBy",
      p.audience, p.id IS NOT NULL AND EXISTS (SELECT FROM product_key_products n WHERE n.${ofKey} AND n.product_id = p.id) AS "isForProduct",
      CASE WHEN p.audience = 'NAMED' AND $6::text IS NOT NULL THEN
        EXISTS (SELECT FROM product_key_addresses n WHERE n.${ofKey} AND n.use = 'CONSUMER' AND n.canonical = lower($6))
        OR EXISTS (SELECT FROM customers e WHERE e.business_id = k.business_id AND e.mode = k.mode AND e.brand_id = c.brand_id
          AND e.email_canonical = lower($6) AND ${names('e.organization_id')}) END AS "isConsumerNamed",
      CASE WHEN p.audience = 'NAMED' AND $7::uuid IS NOT NULL THEN ${names('$7')} END AS "isOrganizationNamed"
    FROM (SELECT 1) one
    LEFT JOIN hit h ON h.mode = $2
    LEFT JOIN product_keys k ON k.business_id = $1 AND k.mode = h.mode AND k.id = h.product_key_id
    LEFT JOIN product_key_meters m ON m.business_id = k.business_id AND m.mode = k.mode AND m.id = k.id
    LEFT JOIN customers c ON c.business_id = k.business_id AND c.mode = k.mode AND c.id = k.customer_id
    LEFT JOIN products p ON p.business_id = $1 AND p.sku = $5`;
