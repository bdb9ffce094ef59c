import { randomBytes } from 'node:crypto';
import type { Client } from 'pg';
import { generateKey } from '../src/catalog/keyPattern.js';
import { currentKeyHmac } from '../src/licenseKeys/keyHmacs.js';
import { loadProductKeys, type BenchProductKey } from './loadProductKeys.js';
import { newToken, tokenHash } from '../src/kernel/secret.js';

/** How much there is. The first business has half of the licenses, the others share the rest. */
export interface WorldSize {
  readonly businesses: number;
  readonly licenses: number;
}

/** What the workloads need to know of the loaded world. All of it belongs to the first business, in live mode. */
export interface World {
  readonly token: string;
  readonly brandUrl: string;
  /** Keys that are valid, each of a license of its own. */
  readonly keys: readonly string[];
  /** Random licenses of offerings, each with its time of creation. */
  readonly licenses: readonly { id: string; createdAt: Date }[];
  /** The license before the last page of 50, and the number of that page. */
  readonly deep: { businessId: string; id: string; createdAt: Date; page: number };
  readonly packageId: string;
  readonly subscriptionTypeId: string;
  readonly days: number;
  readonly priceMinor: number;
  readonly currency: string;
  readonly wallets: readonly { id: string; customerId: string }[];
  readonly productKeys: readonly BenchProductKey[];
}

/** What keys are looked up by; every server of the benchmark is given it. */
export const hmacSecret = randomBytes(32);

const keyring = {
  hmac: { currentId: 'bench', keys: new Map([['bench', hmacSecret]]) },
  encryption: { currentId: '', keys: new Map() },
};

const SAMPLES = 2_000;
const WALLETS = 65;
const PRODUCT_KEYS = 65;
const PRODUCTS = 5;
const OFFERINGS = 20;
const PACKAGES = 5;
const LICENSES_PER_CUSTOMER = 5;
const CUSTOMERS_PER_WALLET = 10;

/** Ids that can be computed from what they number: version 7, with 365 seconds between one and the next. */
const ID_FUNCTION = `
  CREATE FUNCTION pg_temp.bid(kind int, n bigint) RETURNS uuid LANGUAGE sql IMMUTABLE AS $$
    SELECT (lpad(to_hex(1700000000000 + n * 1000), 12, '0') || '7' || lpad(to_hex(kind), 3, '0') ||
            '8' || lpad(to_hex(n), 15, '0'))::uuid
  $$`;

/**
 * The rows of one business, each statement a whole table. Of the parameters that a statement names it gets: $1 the number of
 * the business, $2 the present, $3 how many rows, $4 how many rows of that table earlier businesses have, $5 and $6 the same
 * of the table that it points to.
 */
const statements = {
  businesses: `
    INSERT INTO businesses (id, name, managed_billing, metadata, version, created_at, updated_at)
    SELECT pg_temp.bid(1, $1), 'Business ' || $1, false, '{}', 1, $2, $2`,
  brands: `
    INSERT INTO brands (business_id, id, name, url, is_primary, metadata, version, created_at, updated_at)
    SELECT pg_temp.bid(1, $1), pg_temp.bid(2, $1), 'Brand ' || $1, 'brand' || $1 || '.example.com',
      true, '{}', 1, $2, $2`,
  products: `
    INSERT INTO products (business_id, id, sku, name, description, service_url, metadata, version, created_at, updated_at)
    SELECT pg_temp.bid(1, $1), pg_temp.bid(4, $1::bigint * ${PRODUCTS} + i), 'SKU-' || i,
      (ARRAY['Studio', 'Ledger', 'Router', 'Shield', 'Archive'])[i + 1], 'What it does, in one sentence.', NULL, '{}', 1, $2, $2
    FROM generate_series(0, ${PRODUCTS - 1}) i`,
  product_offerings: `
    INSERT INTO product_offerings (business_id, id, product_id, name, description, license_type, price_minor, currency, billing_period, bound_months,
      group_name, status, metadata, version, created_at, updated_at)
    SELECT pg_temp.bid(1, $1), pg_temp.bid(5, $1::bigint * ${OFFERINGS} + i),
      pg_temp.bid(4, $1::bigint * ${PRODUCTS} + i % ${PRODUCTS}), 'Offering ' || i, NULL,
      (ARRAY['SEAT', 'DEVICE', 'SITE', 'SUBSCRIPTION'])[1 + i % 4], 990 + 500 * i, 'EUR', 'MONTH', 12, 'standard',
      'AVAILABLE', '{}', 1, $2, $2
    FROM generate_series(0, ${OFFERINGS - 1}) i`,
  packages: `
    INSERT INTO packages (business_id, id, brand_id, primary_product_id, name, description, metadata, version, created_at, updated_at)
    SELECT pg_temp.bid(1, $1), pg_temp.bid(6, $1::bigint * ${PACKAGES} + i), pg_temp.bid(2, $1),
      pg_temp.bid(4, $1::bigint * ${PRODUCTS} + i % ${PRODUCTS}), 'Package ' || i, NULL, '{}', 1, $2, $2
    FROM generate_series(0, ${PACKAGES - 1}) i`,
  package_offerings: `
    INSERT INTO package_offerings (business_id, package_id, product_offering_id)
    SELECT pg_temp.bid(1, $1), pg_temp.bid(6, $1::bigint * ${PACKAGES} + i % ${PACKAGES}),
      pg_temp.bid(5, $1::bigint * ${OFFERINGS} + i)
    FROM generate_series(0, ${OFFERINGS - 1}) i`,
  subscription_types: `
    INSERT INTO subscription_types (business_id, id, name, days, metadata, version, created_at, updated_at)
    SELECT pg_temp.bid(1, $1), pg_temp.bid(7, $1::bigint * 3 + i),
      (ARRAY['Month', 'Year', 'Two years'])[i + 1], (ARRAY[30, 365, 730])[i + 1], '{}', 1, $2, $2
    FROM generate_series(0, 2) i`,
  package_prices: `
    INSERT INTO package_prices (business_id, id, package_id, subscription_type_id, currency, amount_minor, version, created_at, updated_at)
    SELECT pg_temp.bid(1, $1), pg_temp.bid(8, $1::bigint * ${3 * PACKAGES} + i),
      pg_temp.bid(6, $1::bigint * ${PACKAGES} + i / 3), pg_temp.bid(7, $1::bigint * 3 + i % 3), 'EUR', 1990 + 1000 * i, 1, $2, $2
    FROM generate_series(0, ${3 * PACKAGES - 1}) i`,
  customers: `
    INSERT INTO customers (business_id, mode, id, brand_id, number, code, external_id, first_name, last_name, company_name,
      email, is_email_verified, country_code, locale, metadata, created_at, updated_at)
    SELECT pg_temp.bid(1, $1), 'LIVE', pg_temp.bid(9, $4::bigint + i), pg_temp.bid(2, $1), 'K' || lpad(($4::bigint + i)::text, 9, '0'),
      'C' || ($4::bigint + i), 'crm-' || ($4::bigint + i),
      (ARRAY['Anna', 'Ben', 'Chloé', 'David', 'Erika', 'Farid', 'Grace', 'Hugo', 'Ines', 'Jonas'])[1 + i % 10],
      (ARRAY['Abel', 'Brandt', 'Costa', 'Dubois', 'Eriksson', 'Fischer', 'Garcia'])[1 + i % 7],
      CASE WHEN i % 3 = 0 THEN 'Company ' || i || ' GmbH' END, 'person' || ($4::bigint + i) || '@example.com', i % 4 > 0,
      (ARRAY['DEU', 'FRA', 'SWE', 'ESP'])[1 + i % 4], 'de-DE', '{"source": "import"}', $2, $2
    FROM generate_series(0, $3::int - 1) i`,
  wallets: `
    INSERT INTO wallets (business_id, mode, id, customer_id, brand_id, currency, is_default, balance_minor, ledger_sequence, ledger_hash, version, created_at, updated_at)
    SELECT pg_temp.bid(1, $1), 'LIVE', pg_temp.bid(10, $4::bigint + i),
      pg_temp.bid(9, $5::bigint + i * ${CUSTOMERS_PER_WALLET}), pg_temp.bid(2, $1), 'EUR', true, 1000000000000, 1,
      sha256(int8send($4::bigint + i)), 1, $2, $2
    FROM generate_series(0, $3::int - 1) i`,
  ledger_accounts: `
    INSERT INTO ledger_accounts (business_id, mode, id, kind, currency, wallet_id, created_at)
    SELECT pg_temp.bid(1, $1), 'LIVE'::mode, pg_temp.bid(10, $4::bigint + i), 'WALLET'::ledger_account_kind, 'EUR',
      pg_temp.bid(10, $4::bigint + i), $2
    FROM generate_series(0, $3::int - 1) i
    UNION ALL SELECT pg_temp.bid(1, $1), 'LIVE'::mode, pg_temp.bid(11, $1::bigint * 2), 'FUNDING'::ledger_account_kind, 'EUR', NULL, $2
    UNION ALL SELECT pg_temp.bid(1, $1), 'LIVE'::mode, pg_temp.bid(11, $1::bigint * 2 + 1), 'SALES'::ledger_account_kind, 'EUR', NULL, $2`,
  ledger_transactions: `
    INSERT INTO ledger_transactions (business_id, mode, id, kind, reason, reference, order_id, created_at)
    SELECT pg_temp.bid(1, $1), 'LIVE', pg_temp.bid(12, $4::bigint + i), 'CREDIT',
      'First payment', NULL, NULL, $2
    FROM generate_series(0, $3::int - 1) i`,
  ledger_transfers: `
    INSERT INTO ledger_transfers (business_id, mode, id, transaction_id, debit_account_id, credit_account_id, currency, amount_minor, wallet_id, wallet_sequence, is_credit, balance_before_minor, balance_after_minor, hash, created_at)
    SELECT pg_temp.bid(1, $1), 'LIVE', pg_temp.bid(13, $4::bigint + i),
      pg_temp.bid(12, $4::bigint + i), pg_temp.bid(11, $1::bigint * 2), pg_temp.bid(10, $4::bigint + i), 'EUR', 1000000000000,
      pg_temp.bid(10, $4::bigint + i), 1, true, 0, 1000000000000, sha256(int8send($4::bigint + i)), $2
    FROM generate_series(0, $3::int - 1) i`,
  licenses: `
    INSERT INTO licenses (business_id, mode, id, number, status, type, customer_id, product_offering_id, package_id,
      subscription_type_id, valid_from, valid_until, activated_at, paused_at, cancelled_at, expired_at, status_before_block, amount_minor, currency, tags,
      metadata, created_at, updated_at)
    SELECT pg_temp.bid(1, $1), 'LIVE', pg_temp.bid(14, $4::bigint + i), 'L' || lpad(($4::bigint + i)::text, 9, '0'),
      (CASE WHEN i % 20 = 3 THEN 'PAUSED' WHEN i % 25 = 4 THEN 'BLOCKED' WHEN i % 20 = 7 THEN 'CANCELLED' ELSE 'ACTIVE' END)::license_status,
      (ARRAY['SEAT', 'DEVICE', 'SITE', 'SUBSCRIPTION'])[1 + i % 4], pg_temp.bid(9, $5::bigint + i::bigint * 7919 % $6::int),
      CASE WHEN i % 5 > 0 THEN pg_temp.bid(5, $1::bigint * ${OFFERINGS} + i % ${OFFERINGS}) END,
      CASE WHEN i % 5 = 0 THEN pg_temp.bid(6, $1::bigint * ${PACKAGES} + i / 5 % ${PACKAGES}) END,
      CASE WHEN i % 5 = 0 THEN pg_temp.bid(7, $1::bigint * 3 + i % 3) END,
      date_trunc('day', born), CASE WHEN i % 10 > 0 THEN date_trunc('day', born) + interval '365 days' * (1 + i % 3) END,
      date_trunc('day', born), CASE WHEN i % 20 = 3 THEN born END, CASE WHEN i % 20 = 7 THEN born END,
      CASE WHEN i % 20 <> 7 AND i % 10 > 0 AND date_trunc('day', born) + interval '365 days' * (1 + i % 3) <= $2::timestamptz
        THEN date_trunc('day', born) + interval '365 days' * (1 + i % 3) END,
      CASE WHEN i % 25 = 4 AND i % 20 <> 3 THEN 'ACTIVE'::license_status END,
      CASE WHEN i % 5 = 0 THEN 1990 END, CASE WHEN i % 5 = 0 THEN 'EUR' END,
      CASE WHEN i % 8 = 0 THEN ARRAY['renewed'] ELSE ARRAY[]::text[] END, '{"channel": "web"}', born, born
    FROM generate_series(0, $3::int - 1) i, LATERAL (SELECT $2::timestamptz - interval '730 days' * (1 - i / $3::float8) AS born) b`,
} as const;

/**
 * Fills an empty, migrated database by set-based SQL and takes the samples that the workloads use.
 * @param db a connection as superuser: foreign keys are not checked while loading, the rows fit by construction
 */
export async function loadWorld(db: Client, size: WorldSize): Promise<World> {
  const now = new Date();
  const token = newToken('lk_live_');
  await db.query("SET session_replication_role = 'replica'; SET synchronous_commit = off");
  await db.query(ID_FUNCTION);
  const before = { customers: 0, wallets: 0, licenses: 0 };
  for (let business = 0; business < size.businesses; business++) {
    const licenses = Math.ceil(business === 0 ? size.licenses / 2 : size.licenses / 2 / (size.businesses - 1));
    const customers = Math.ceil(licenses / LICENSES_PER_CUSTOMER);
    const wallets = Math.ceil(customers / CUSTOMERS_PER_WALLET);
    const counts = { customers: [customers, before.customers], licenses: [licenses, before.licenses] };
    for (const [table, text] of Object.entries(statements)) {
      const [count, offset] = counts[table as keyof typeof counts] ?? [wallets, before.wallets];
      const values = [business, now, count, offset, before.customers, customers];
      await db.query(withUsedParameters(text, values));
    }
    before.customers += customers;
    before.wallets += wallets;
    before.licenses += licenses;
  }
  await insertApiKey(db, token, now);
  await db.query("SET session_replication_role = 'origin'");
  const keys = await insertKeys(db, now);
  const productKeys = await loadProductKeys(db, keyring, now, PRODUCT_KEYS);
  await db.query('VACUUM ANALYZE');
  await db.query('CHECKPOINT');
  return { ...(await samplesOf(db, token)), keys, productKeys, brandUrl: 'brand0.example.com' };
}

/** PostgreSQL refuses parameters that a statement does not name, so those that it names are numbered anew. */
function withUsedParameters(text: string, values: readonly unknown[]): { text: string; values: unknown[] } {
  const used = [...new Set(text.match(/\$\d/g))];
  const casts = ['int', 'timestamptz', 'int', 'bigint', 'bigint', 'int'];
  return {
    text: text.replace(/\$(\d)(::\w+)?/g, (name, digit: string, cast: string | undefined) => {
      const place = `$${used.indexOf(`$${digit}`) + 1}::${casts[Number(digit) - 1]}`;
      return cast ? `${place}${cast}` : place;
    }),
    values: used.map((name) => values[Number(name.slice(1)) - 1]),
  };
}

async function insertApiKey(db: Client, token: string, now: Date): Promise<void> {
  const scopes = ['BUSINESS_READ', 'CATALOG_READ', 'CUSTOMERS_READ', 'LICENSES_READ', 'LICENSE_KEYS_READ'];
  const purchasing = [
    'GRANTS_READ',
    'WALLETS_READ',
    'ORDERS_READ',
    'PURCHASES_WRITE',
    'USAGE_WRITE',
    'PRODUCT_KEYS_READ',
  ];
  await db.query(
    `INSERT INTO api_keys (business_id, id, mode, name, token_hash, last4, scopes, created_at, updated_at)
     VALUES (pg_temp.bid(1, 0), pg_temp.bid(3, 0), 'LIVE', 'Bench', $1, $2, $3, $4, $4)`,
    [tokenHash(token), token.slice(-4), [...scopes, ...purchasing], now],
  );
}

/** A key on each of some active licenses. */
async function insertKeys(db: Client, now: Date): Promise<string[]> {
  const { rows } = await db.query<{ businessId: string; licenseId: string; licenseKeyId: string }>(
    `SELECT business_id AS "businessId", id AS "licenseId", gen_random_uuid() AS "licenseKeyId" FROM licenses
     WHERE business_id = pg_temp.bid(1, 0) AND mode = 'LIVE' AND status = 'ACTIVE' AND valid_from < $1::timestamptz - interval '1 day'
       AND (valid_until IS NULL OR valid_until > $1::timestamptz + interval '30 days')
     ORDER BY md5(id::text || 'key') LIMIT $2`,
    [now, SAMPLES],
  );
  const keys = rows.map(() => generateKey());
  const values = rows.map(
    ({ businessId }, i) => currentKeyHmac(keyring, { businessId, mode: 'LIVE' }, keys[i]!).keyHmac,
  );
  await db.query(
    `WITH given AS (SELECT l.*, t.key_id, t.key_hmac FROM unnest($1::uuid[], $2::uuid[], $3::bytea[]) AS t (license_id, key_id, key_hmac)
        JOIN licenses l ON l.business_id = pg_temp.bid(1, 0) AND l.mode = 'LIVE' AND l.id = t.license_id),
      k AS (INSERT INTO license_keys (business_id, mode, id, customer_id, key_ciphertext, last4, source, status, created_at, updated_at)
        SELECT business_id, mode, key_id, customer_id, '', 'XXXX', 'AUTO', 'ACTIVE', created_at, created_at FROM given RETURNING 1),
      h AS (INSERT INTO license_key_lookups (business_id, mode, key_hmac, hmac_key_id, license_key_id)
        SELECT business_id, mode, key_hmac, 'bench', key_id FROM given RETURNING 1)
      INSERT INTO license_key_bindings (business_id, mode, license_key_id, license_id, created_at)
        SELECT business_id, mode, key_id, id, created_at FROM given`,
    [rows.map(({ licenseId }) => licenseId), rows.map(({ licenseKeyId }) => licenseKeyId), values],
  );
  return keys;
}

async function samplesOf(db: Client, token: string): Promise<Omit<World, 'keys' | 'productKeys' | 'brandUrl'>> {
  const licenses = await db.query<{ id: string; createdAt: Date }>(
    `SELECT id, created_at AS "createdAt" FROM licenses
     WHERE business_id = pg_temp.bid(1, 0) AND mode = 'LIVE' AND product_offering_id IS NOT NULL
     ORDER BY md5(id::text) LIMIT $1`,
    [SAMPLES],
  );
  const wallets = await db.query<{ id: string; customerId: string }>(
    `SELECT id, customer_id AS "customerId" FROM wallets WHERE business_id = pg_temp.bid(1, 0) ORDER BY id LIMIT $1`,
    [WALLETS],
  );
  const prices = await db.query<
    Omit<World, 'token' | 'brandUrl' | 'keys' | 'productKeys' | 'licenses' | 'deep' | 'wallets'>
  >(
    `SELECT p.package_id AS "packageId", p.subscription_type_id AS "subscriptionTypeId", s.days, p.currency,
       p.amount_minor::int AS "priceMinor"
     FROM package_prices p JOIN subscription_types s ON s.business_id = p.business_id AND s.id = p.subscription_type_id
     WHERE p.business_id = pg_temp.bid(1, 0) ORDER BY s.days, p.id LIMIT 1`,
  );
  const [last] = (
    await db.query<Omit<World['deep'], 'page'>>(
      `SELECT business_id AS "businessId", id, created_at AS "createdAt" FROM licenses
       WHERE business_id = pg_temp.bid(1, 0) AND mode = 'LIVE' ORDER BY created_at, id OFFSET 50 LIMIT 1`,
    )
  ).rows;
  const { rows: counted } = await db.query<{ count: number }>(
    `SELECT count(*)::int AS count FROM licenses WHERE business_id = pg_temp.bid(1, 0) AND mode = 'LIVE'`,
  );
  const deep = { ...last!, page: Math.floor(counted[0]!.count / 50) };
  return { token, licenses: licenses.rows, wallets: wallets.rows, deep, ...prices.rows[0]! };
}
