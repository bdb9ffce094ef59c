import { Refusal } from '../kernel/refusal.js';
import { tenantOf } from '../kernel/requestContext.js';
import type { SqlTx } from '../kernel/transaction.js';
import { defaultKeyPattern, generateKey, reservedPrefixOf, type KeyPattern } from '../catalog/keyPattern.js';
import { normalizeKey, reservedKeyPrefix } from './licenseKey.js';

/** Makes keys of one product, and knows which prefixes supplied ones may not have. */
export interface KeyMaker {
  /** A new key of the product's pattern, else of the default one. */
  make(): string;
  /** The reserved prefix that a supplied key begins with; null: none. */
  reservedPrefixOf(key: string): string | null;
}

/** What keys are made for; the first of these that is given names the product. With none, the default pattern is used. */
export interface KeySubject {
  readonly productOfferingId?: string | null;
  readonly packageId?: string | null;
  /** The product of the newest license on the key. */
  readonly licenseKeyId?: string | null;
}

/** A pattern of the business, and whether it is that of the product that keys are made for. */
export interface PatternRow {
  keyPattern: KeyPattern;
  isOwn: boolean;
}

const productOfKey = `SELECT coalesce(o.product_id, pk.primary_product_id)
  FROM license_key_bindings b
  JOIN licenses l ON l.business_id = b.business_id AND l.mode = b.mode AND l.id = b.license_id
  LEFT JOIN product_offerings o ON o.business_id = l.business_id AND o.id = l.product_offering_id
  LEFT JOIN packages pk ON pk.business_id = l.business_id AND pk.id = l.package_id
  WHERE b.business_id = $1 AND b.mode = $2 AND b.license_key_id = $5
  ORDER BY l.created_at DESC, l.id DESC LIMIT 1`;

/** Most businesses have no pattern: then one look into a partial index finds that out. */
const statement = `SELECT p.key_pattern AS "keyPattern", p.id IS NOT DISTINCT FROM coalesce(
    (SELECT product_id FROM product_offerings WHERE business_id = $1 AND id = $3),
    (SELECT primary_product_id FROM packages WHERE business_id = $1 AND id = $4),
    (${productOfKey})) AS "isOwn"
  FROM products p WHERE p.business_id = $1 AND p.key_pattern IS NOT NULL`;

/** A step, one statement: how keys for something are made, and which prefixes the business's patterns reserve. */
export async function keyMakerFor(tx: SqlTx, subject: KeySubject = {}): Promise<KeyMaker> {
  const { businessId, mode } = tenantOf(tx.ctx);
  const { productOfferingId = null, packageId = null, licenseKeyId = null } = subject;
  const values = [businessId, mode, productOfferingId, packageId, licenseKeyId];
  return keyMakerOf(await tx.sql<PatternRow>('key_patterns', statement, values));
}

/** SQL: the same of a package, for `keyMakerOf`, as a JSON list, null where there is none. @param packageId its parameter; $1 is the business */
export function patternsForPackage(packageId: string): string {
  return `(SELECT jsonb_agg(jsonb_build_object('keyPattern', p.key_pattern, 'isOwn', p.id IS NOT DISTINCT FROM
      (SELECT primary_product_id FROM packages WHERE business_id = $1 AND id = ${packageId})))
    FROM products p WHERE p.business_id = $1 AND p.key_pattern IS NOT NULL)`;
}

/** What makes keys, of all patterns of the business. */
export function keyMakerOf(rows: readonly PatternRow[]): KeyMaker {
  const own = rows.find(({ isOwn }) => isOwn)?.keyPattern ?? defaultKeyPattern;
  const reserved = rows.flatMap(({ keyPattern: { prefix } }) => (prefix === null ? [] : [prefix]));
  return {
    make: () => generateKey(own, reserved),
    reservedPrefixOf: (key) => reservedPrefixOf(normalizeKey(key), reserved),
  };
}

/**
 * A step, one statement, before `keyMakerFor` where a key is supplied: no prefix is reserved until the transaction ends, so that
 * what is written begins with none, and whoever reserves one next sees that there are keys (`keyPatternColumns`).
 */
export async function holdPrefixes(tx: SqlTx): Promise<void> {
  const text = 'SELECT 1 AS one FROM businesses WHERE id = $1 FOR KEY SHARE';
  await tx.sql('hold_prefixes', text, [tenantOf(tx.ctx).businessId]);
}

/**
 * Refuses a key that somebody supplies and that begins with a reserved prefix.
 * @throws Refusal ReservedKeyPrefix
 */
export function refuseReservedPrefix(maker: KeyMaker, path: readonly string[], key: string): void {
  const prefix = maker.reservedPrefixOf(key);
  if (prefix !== null) throw new Refusal([reservedKeyPrefix(path, prefix)]);
}
