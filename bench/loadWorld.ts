import { randomBytes, randomUUID } from 'node:crypto';
import type { Client } from 'pg';
import { generateKey } from '../src/catalog/keyPattern.js';
import { newToken, tokenHash } from '../src/kernel/secret.js';
import { currentKeyHmac } from '../src/licenseKeys/keyHmacs.js';
import { copyInto } from './copyInto.js';
import { loadProductKeys, type BenchProductKey } from './loadProductKeys.js';
import { worldId, type WorldSize } from './world/business.js';
import { worldRows } from './world/worldRows.js';

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

/** The first. */
const business = { businessId: worldId('business', 0), mode: 'LIVE' } as const;

/**
 * Fills an empty, migrated database by COPY and takes the samples that the workloads use.
 * @param db a connection as superuser: foreign keys are not checked while loading, the rows fit by construction
 */
export async function loadWorld(db: Client, size: WorldSize): Promise<World> {
  const now = new Date();
  const token = newToken('lk_live_');
  await db.query("SET session_replication_role = 'replica'; SET synchronous_commit = off");
  for (const { table, rows } of worldRows(size, now)) await copyInto(db, table, rows);
  await loadApiKey(db, token, now);
  await db.query("SET session_replication_role = 'origin'");
  const keys = await loadKeys(db, now);
  const productKeys = await loadProductKeys(db, keyring, now, PRODUCT_KEYS);
  await vacuumLoaded(db);
  await db.query('CHECKPOINT');
  return { ...(await samplesOf(db, token)), keys, productKeys, brandUrl: 'brand0.example.com' };
}

/** Leaves empty tables alone, as PostgreSQL's own cleaning does. */
async function vacuumLoaded(db: Client): Promise<void> {
  const { rows } = await db.query<{ table: string }>(
    `SELECT oid::regclass::text AS table FROM pg_class
     WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' AND pg_relation_size(oid) > 0`,
  );
  await db.query(`VACUUM (ANALYZE) ${rows.map(({ table }) => table).join(', ')}`);
}

async function loadApiKey(db: Client, token: string, now: Date): Promise<void> {
  const scopes = ['BUSINESS_READ', 'CATALOG_READ', 'CUSTOMERS_READ', 'LICENSES_READ', 'LICENSE_KEYS_READ'];
  const purchasing = [
    'GRANTS_READ',
    'WALLETS_READ',
    'ORDERS_READ',
    'PURCHASES_WRITE',
    'USAGE_WRITE',
    'PRODUCT_KEYS_READ',
  ];
  const key = {
    ...business,
    id: worldId('apiKey', 0),
    name: 'Bench',
    tokenHash: tokenHash(token),
    last4: token.slice(-4),
    scopes: [...scopes, ...purchasing],
    createdAt: now,
    updatedAt: now,
  };
  await copyInto(db, 'apiKeys', [key]);
}

/** A key on each of some active licenses. */
async function loadKeys(db: Client, now: Date): Promise<string[]> {
  const { rows } = await db.query<{ licenseId: string; customerId: string; createdAt: Date }>(
    `SELECT id AS "licenseId", customer_id AS "customerId", created_at AS "createdAt" FROM licenses
     WHERE business_id = $3 AND mode = 'LIVE' AND status = 'ACTIVE' AND valid_from < $1::timestamptz - interval '1 day'
       AND (valid_until IS NULL OR valid_until > $1::timestamptz + interval '30 days')
     ORDER BY md5(id::text || 'key') LIMIT $2`,
    [now, SAMPLES, business.businessId],
  );
  const keys = rows.map((row) => ({ ...row, id: randomUUID(), key: generateKey() }));
  const unread = { keyCiphertext: '', last4: 'XXXX', source: 'AUTO', status: 'ACTIVE' };
  await copyInto(
    db,
    'licenseKeys',
    keys.map(({ id, customerId, createdAt }) => ({
      ...business,
      id,
      customerId,
      ...unread,
      createdAt,
      updatedAt: createdAt,
    })),
  );
  await copyInto(
    db,
    'licenseKeyLookups',
    keys.map(({ id, key }) => ({ ...business, ...currentKeyHmac(keyring, business, key), licenseKeyId: id })),
  );
  await copyInto(
    db,
    'licenseKeyBindings',
    keys.map(({ id, licenseId, createdAt }) => ({ ...business, licenseKeyId: id, licenseId, createdAt })),
  );
  return keys.map(({ key }) => key);
}

async function samplesOf(db: Client, token: string): Promise<Omit<World, 'keys' | 'productKeys' | 'brandUrl'>> {
  const { businessId } = business;
  const licenses = await db.query<{ id: string; createdAt: Date }>(
    `SELECT id, created_at AS "createdAt" FROM licenses
     WHERE business_id = $2 AND mode = 'LIVE' AND product_offering_id IS NOT NULL
     ORDER BY md5(id::text) LIMIT $1`,
    [SAMPLES, businessId],
  );
  const wallets = await db.query<{ id: string; customerId: string }>(
    `SELECT id, customer_id AS "customerId" FROM wallets WHERE business_id = $2 ORDER BY id LIMIT $1`,
    [WALLETS, businessId],
  );
  const prices = await db.query<
    Omit<World, 'token' | 'brandUrl' | 'keys' | 'productKeys' | 'licenses' | 'deep' | 'wallets'>
  >(
    `SELECT p.package_id AS "packageId", p.subscription_type_id AS "subscriptionTypeId", s.days, p.currency,
       p.amount_minor::int AS "priceMinor"
     FROM package_prices p JOIN subscription_types s ON s.business_id = p.business_id AND s.id = p.subscription_type_id
     WHERE p.business_id = $1 ORDER BY s.days, p.id LIMIT 1`,
    [businessId],
  );
  const [last] = (
    await db.query<Omit<World['deep'], 'page'>>(
      `SELECT business_id AS "businessId", id, created_at AS "createdAt" FROM licenses
       WHERE business_id = $1 AND mode = 'LIVE' ORDER BY created_at, id OFFSET 50 LIMIT 1`,
      [businessId],
    )
  ).rows;
  const { rows: counted } = await db.query<{ count: number }>(
    `SELECT count(*)::int AS count FROM licenses WHERE business_id = $1 AND mode = 'LIVE'`,
    [businessId],
  );
  const deep = { ...last!, page: Math.floor(counted[0]!.count / 50) };
  return { token, licenses: licenses.rows, wallets: wallets.rows, deep, ...prices.rows[0]! };
}
