import type pg from 'pg';
import type { SystemParts } from '../jobs/systemContext.js';
import type { Tenant } from '../kernel/requestContext.js';
import { decrypt, encrypt, type Keyring } from '../kernel/secret.js';
import { keyHmacs, type KeyHmac } from './keyHmacs.js';

const BATCH = 200;

/** The tables by which texts are found, what names a text there, and the columns that say whose it is. */
const families = {
  license: {
    lookups: 'license_key_lookups',
    textOf: (alias: string) => `coalesce(${alias}.rotation_id, ${alias}.license_key_id, ${alias}.pool_key_id)`,
    columns: ['license_key_id', 'rotation_id', 'pool_key_id'],
  },
  product: {
    lookups: 'product_key_lookups',
    textOf: (alias: string) => `coalesce(${alias}.rotation_id, ${alias}.product_key_id)`,
    columns: ['product_key_id', 'rotation_id'],
  },
} as const;

/**
 * The tables that keep texts. `owner` is the row whose id a ciphertext is bound to: a superseded text keeps the one that it had
 * as its key's own. `text` is what its look-up values name it by.
 */
const sources = [
  {
    family: families.license,
    table: 'license_keys',
    owner: 'id',
    licenseKey: 't.id',
    rotation: 'NULL::uuid',
    poolKey: 'NULL::uuid',
    where: 'true',
  },
  {
    family: families.license,
    table: 'license_key_rotations',
    owner: 'license_key_id',
    licenseKey: 't.license_key_id',
    rotation: 't.id',
    poolKey: 'NULL::uuid',
    where: 'true',
  },
  {
    family: families.license,
    table: 'license_key_pool_keys',
    owner: 'id',
    licenseKey: 'NULL::uuid',
    rotation: 'NULL::uuid',
    poolKey: 't.id',
    where: 't.drawn_at IS NULL',
  },
  {
    family: families.product,
    table: 'product_keys',
    owner: 'id',
    licenseKey: 't.id',
    rotation: 'NULL::uuid',
    poolKey: 'NULL::uuid',
    where: 'true',
  },
  {
    family: families.product,
    table: 'product_key_rotations',
    owner: 'product_key_id',
    licenseKey: 't.product_key_id',
    rotation: 't.id',
    poolKey: 'NULL::uuid',
    where: 'true',
  },
] as const;

type Source = (typeof sources)[number];

interface StoredText extends Tenant {
  readonly id: string;
  readonly ownerId: string;
  readonly keyCiphertext: Buffer;
  readonly licenseKeyId: string | null;
  readonly rotationId: string | null;
  readonly poolKeyId: string | null;
}

/**
 * A job: makes every stored text findable by the current HMAC key and readable by the current encryption key, so that older ones
 * can be taken out of the configuration; then removes look-up values of HMAC keys that were taken out. In transactions of 200
 * texts each; rows that somebody changes just now are left for the next run. Does nothing while there is one key of each kind
 * and no trace of another. However many workers run it at once, and whenever it is cut short, nothing is done twice.
 * @returns how many texts and values it worked on
 */
export async function rekeyLicenseKeys({ db, keyring }: SystemParts): Promise<number> {
  let done = 0;
  if (keyring.hmac.keys.size > 1 || keyring.encryption.keys.size > 1) {
    for (const source of sources) done += await rekeySource(db.writer.pool, keyring, source);
  }
  for (const family of Object.values(families)) done += await forgetRetired(db.writer.pool, keyring, family);
  return done;
}

async function rekeySource(pool: pg.Pool, keyring: Keyring, source: Source): Promise<number> {
  let after: StoredText | null = null;
  for (let done = 0; ;) {
    const texts: StoredText[] = await rekeyBatch(pool, keyring, source, after);
    done += texts.length;
    if (texts.length < BATCH) return done;
    after = texts.at(-1) as StoredText;
  }
}

/** A ciphertext begins with a version, the length of its key's id, and that id. */
const encryptedWith = `substring(t.key_ciphertext FROM 3 FOR get_byte(t.key_ciphertext, 1))`;

function textsToRekey({ family, table, owner, licenseKey, rotation, poolKey, where }: Source): string {
  return `SELECT t.business_id AS "businessId", t.mode, t.id, t.${owner} AS "ownerId", t.key_ciphertext AS "keyCiphertext",
      ${licenseKey} AS "licenseKeyId", ${rotation} AS "rotationId", ${poolKey} AS "poolKeyId"
    FROM ${table} t
    WHERE ${where} AND ($3::uuid IS NULL OR (t.business_id, t.mode, t.id) > ($3, $4::mode, $5::uuid))
      AND (${encryptedWith} <> convert_to($1, 'UTF8') OR NOT EXISTS (
        SELECT 1 FROM ${family.lookups} l WHERE l.business_id = t.business_id AND l.mode = t.mode
          AND ${family.textOf('l')} = t.id AND l.hmac_key_id = $2))
    ORDER BY t.business_id, t.mode, t.id LIMIT ${BATCH} FOR NO KEY UPDATE SKIP LOCKED`;
}

async function rekeyBatch(
  pool: pg.Pool,
  keyring: Keyring,
  source: Source,
  after: StoredText | null,
): Promise<StoredText[]> {
  const client = await pool.connect();
  let broken: Error | undefined;
  try {
    await client.query('BEGIN');
    const { rows } = await client.query<StoredText>({
      name: `texts_to_rekey_${source.table}`,
      text: textsToRekey(source),
      values: [keyring.encryption.currentId, keyring.hmac.currentId, after?.businessId, after?.mode, after?.id],
    });
    if (rows.length > 0) await rewrite(client, keyring, source, rows);
    await client.query('COMMIT');
    return rows;
  } catch (error) {
    await client.query('ROLLBACK').catch((rollbackError: Error) => (broken = rollbackError));
    throw error;
  } finally {
    client.release(broken);
  }
}

async function rewrite(client: pg.PoolClient, keyring: Keyring, source: Source, texts: StoredText[]): Promise<void> {
  const made = texts.map((stored) => {
    const bound = [stored.businessId, stored.mode, stored.ownerId];
    const key = decrypt(keyring.encryption, stored.keyCiphertext, bound);
    const [current] = keyHmacs(keyring, stored, key) as [KeyHmac];
    return { ...stored, ...current, ciphertext: encrypt(keyring.encryption, key, bound) };
  });
  const column = <Name extends keyof (typeof made)[number]>(name: Name) => made.map((row) => row[name]);
  await client.query({
    name: `rekey_ciphertexts_${source.table}`,
    text: `UPDATE ${source.table} t SET key_ciphertext = n.ciphertext
      FROM unnest($1::uuid[], $2::mode[], $3::uuid[], $4::bytea[]) AS n (business_id, mode, id, ciphertext)
      WHERE t.business_id = n.business_id AND t.mode = n.mode AND t.id = n.id`,
    values: [column('businessId'), column('mode'), column('id'), column('ciphertext')],
  });
  const { lookups, columns } = source.family;
  const owners = [column('licenseKeyId'), column('rotationId'), column('poolKeyId')].slice(0, columns.length);
  await client.query({
    name: `rekey_${lookups}`,
    text: `INSERT INTO ${lookups} (business_id, mode, key_hmac, hmac_key_id, ${columns.join(', ')})
      SELECT * FROM unnest($1::uuid[], $2::mode[], $3::bytea[], $4::text[], ${columns.map((_, i) => `$${i + 5}::uuid[]`).join(', ')}) AS n (b, m, h)
      ORDER BY n.h ON CONFLICT (business_id, mode, key_hmac) DO NOTHING`,
    values: [column('businessId'), column('mode'), column('keyHmac'), column('hmacKeyId'), ...owners],
  });
}

const FORGOTTEN_AT_ONCE = 1_000;

/** Removes values of HMAC keys that are configured no more, of texts that the current one finds. The others stay: see `checkKeyring`. */
async function forgetRetired(pool: pg.Pool, keyring: Keyring, { lookups, textOf }: Source['family']): Promise<number> {
  for (let forgotten = 0; ;) {
    const { rowCount } = await pool.query({
      name: `forget_retired_${lookups}`,
      text: `DELETE FROM ${lookups} WHERE (business_id, mode, key_hmac) IN (
        SELECT o.business_id, o.mode, o.key_hmac FROM secret_checks s
          JOIN ${lookups} o ON o.hmac_key_id = s.key_id
          JOIN ${lookups} c ON c.business_id = o.business_id AND c.mode = o.mode AND c.hmac_key_id = $2
            AND ${textOf('c')} = ${textOf('o')}
          WHERE s.purpose = 'HMAC' AND s.key_id <> ALL ($1::text[]) LIMIT ${FORGOTTEN_AT_ONCE} FOR UPDATE OF o SKIP LOCKED)`,
      values: [[...keyring.hmac.keys.keys()], keyring.hmac.currentId],
    });
    forgotten += rowCount ?? 0;
    if ((rowCount ?? 0) < FORGOTTEN_AT_ONCE) return forgotten;
  }
}
