import { randomUUID } from 'node:crypto';
import type { Client } from 'pg';
import { currentKeyHmac } from '../src/licenseKeys/keyHmacs.js';
import type { Keyring } from '../src/kernel/secret.js';

/** A product key that may be used, with more quota than any run uses. */
export interface BenchProductKey {
  readonly id: string;
  readonly key: string;
}

/** SKU of the product that they are for. */
export const PRODUCT_SKU = 'SKU-0';

const statement = `WITH given AS (
    SELECT p.business_id, t.id, t.key_hmac, t.n, p.id AS product_id,
      (SELECT c.id FROM customers c WHERE c.business_id = p.business_id AND c.mode = 'LIVE' ORDER BY c.id LIMIT 1) AS customer_id
    FROM products p, unnest($2::uuid[], $3::bytea[]) WITH ORDINALITY AS t (id, key_hmac, n)
    WHERE p.business_id = pg_temp.bid(1, 0) AND p.sku = '${PRODUCT_SKU}'),
  k AS (INSERT INTO product_keys (business_id, mode, id, number, status, customer_id, description, key_ciphertext, last4, starts_at,
      notify_creator_on_creation, notify_owner_on_quota_threshold, notify_on_trial_expiry, disable_on_payment_failed,
      allow_mid_period_cancellation, tags, metadata, created_at, updated_at)
    SELECT business_id, 'LIVE', id, 'P' || lpad(n::text, 9, '0'), 'ACTIVE', customer_id, 'Bench', '', 'XXXX', $1, false, false, false,
      false, false, '{}', '{}', $1, $1 FROM given RETURNING 1),
  m AS (INSERT INTO product_key_meters (business_id, mode, id, quota, over_quota, consumed, quota_period, quota_anchor, period_starts_at,
      period_ends_at, threshold)
    SELECT business_id, 'LIVE', id, 1000000000000, 'BLOCK', 0, 'YEAR', 'ANNIVERSARY', $1, $1 + interval '1 year', 90000 FROM given RETURNING 1),
  h AS (INSERT INTO product_key_lookups (business_id, mode, key_hmac, hmac_key_id, product_key_id)
    SELECT business_id, 'LIVE', key_hmac, 'bench', id FROM given RETURNING 1)
  INSERT INTO product_key_products (business_id, mode, product_key_id, product_id, position)
    SELECT business_id, 'LIVE', id, product_id, 0 FROM given`;

/** Product keys of the first business, in live mode. */
export async function loadProductKeys(
  db: Client,
  keyring: Keyring,
  now: Date,
  count: number,
): Promise<BenchProductKey[]> {
  const { rows } = await db.query<{ id: string }>('SELECT pg_temp.bid(1, 0) AS id');
  const tenant = { businessId: rows[0]!.id, mode: 'LIVE' as const };
  const keys = Array.from({ length: count }, () => ({ id: randomUUID(), key: randomUUID().toUpperCase() }));
  const values = keys.map(({ key }) => currentKeyHmac(keyring, tenant, key).keyHmac);
  await db.query(statement, [now, keys.map(({ id }) => id), values]);
  return keys;
}
