import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Config, SecretKey } from './config.js';
import type { Database } from './kernel/database.js';
import { hmacOf, sameSecret, type Keyring, type KeySet } from './kernel/secret.js';

function keySetOf(keys: readonly SecretKey[]): KeySet {
  const [current] = keys;
  if (!current) throw new Error('a set of keys has at least one');
  return { currentId: current.id, keys: new Map(keys.map(({ id, secret }) => [id, secret])) };
}

/**
 * The secrets that stored data depends on: the configured ones; else, for development, ones that are made once and kept in the
 * data folder, readable by their owner only.
 */
export function keyringOf(config: Config): Keyring {
  const { hmacKeys, encryptionKeys } = config.hmacKeys && config.encryptionKeys ? config : keptKeys(config.dataDir);
  return { hmac: keySetOf(hmacKeys ?? []), encryption: keySetOf(encryptionKeys ?? []) };
}

function keptKeys(dataDir: string): { hmacKeys: SecretKey[]; encryptionKeys: SecretKey[] } {
  const file = join(dataDir, 'secrets.json');
  if (!existsSync(file)) {
    mkdirSync(dataDir, { recursive: true });
    const made = { hmac: randomBytes(32).toString('base64'), encryption: randomBytes(32).toString('base64') };
    writeFileSync(file, `${JSON.stringify(made, null, 2)}\n`, { mode: 0o600, flag: 'wx' });
  }
  const { hmac, encryption } = JSON.parse(readFileSync(file, 'utf8')) as { hmac: string; encryption: string };
  return {
    hmacKeys: [{ id: 'local', secret: Buffer.from(hmac, 'base64') }],
    encryptionKeys: [{ id: 'local', secret: Buffer.from(encryption, 'base64') }],
  };
}

/**
 * Refuses secrets that are not the ones which the stored data was made with: the database keeps, for each key id, a value that
 * only the right key gives. A start that is refused leaves none behind.
 * @throws Error naming the variable, the key id and what to do
 */
export async function checkKeyring(db: Database, keyring: Keyring, now: Date): Promise<void> {
  const values = checkValuesOf(keyring);
  await refuseOthers(db, values);
  await refuseMissing(db, keyring);
  await db.writer.prisma.secretCheck.createMany({
    data: values.map((value) => ({ ...value, createdAt: now })),
    skipDuplicates: true,
  });
  // Another process may have been first with other keys.
  await refuseOthers(db, values);
}

interface CheckValue {
  readonly purpose: 'HMAC' | 'ENCRYPTION';
  readonly keyId: string;
  readonly value: Uint8Array<ArrayBuffer>;
}

function checkValuesOf({ hmac, encryption }: Keyring): CheckValue[] {
  const valuesOf = (purpose: CheckValue['purpose'], { keys }: KeySet) =>
    [...keys].map(([keyId, key]) => {
      const value = new Uint8Array(hmacOf(key, 'latchkey secret check', purpose, keyId));
      return { purpose, keyId, value };
    });
  return [...valuesOf('HMAC', hmac), ...valuesOf('ENCRYPTION', encryption)];
}

/** Refuses a key that is not the one which its id was first used for. */
async function refuseOthers(db: Database, values: readonly CheckValue[]): Promise<void> {
  const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');
  const kept = await db.writer.prisma.secretCheck.findMany();
  for (const { purpose, keyId, value } of values) {
    const known = kept.find((one) => one.purpose === purpose && one.keyId === keyId);
    if (!known || sameSecret(hex(known.value), hex(value))) continue;
    throw new Error(
      `LATCHKEY_${purpose}_KEYS: the key "${keyId}" is not the one that the stored data was made with. ` +
        'Give the right key, or give the new one another id beside the old one.',
    );
  }
}

/** Texts in a table of look-up values that none of the configured HMAC keys finds. */
const unfindableIn = (lookups: string, textOf: (alias: string) => string) => `(SELECT o.hmac_key_id AS id
  FROM secret_checks s JOIN ${lookups} o ON o.hmac_key_id = s.key_id
  WHERE s.purpose = 'HMAC' AND s.key_id <> ALL ($1::text[]) AND NOT EXISTS (
    SELECT 1 FROM ${lookups} c WHERE c.business_id = o.business_id AND c.mode = o.mode AND ${textOf('c')} = ${textOf('o')}
      AND c.hmac_key_id = ANY ($1::text[]))
  LIMIT 1)`;

const unfindable = [
  unfindableIn('license_key_lookups', (t) => `coalesce(${t}.rotation_id, ${t}.license_key_id, ${t}.pool_key_id)`),
  unfindableIn('product_key_lookups', (t) => `coalesce(${t}.rotation_id, ${t}.product_key_id)`),
].join(' UNION ALL ');

/** Texts that none of the configured encryption keys reads; asked only while the database remembers a key that is not configured. */
const unreadable = `SELECT s.key_id AS id FROM secret_checks s
  WHERE s.purpose = 'ENCRYPTION' AND s.key_id <> ALL ($1::text[]) AND (${[
    'license_keys t WHERE true',
    'license_key_rotations t WHERE true',
    'license_key_pool_keys t WHERE t.drawn_at IS NULL',
    'signing_keys t WHERE t.key_ciphertext IS NOT NULL',
    'product_keys t WHERE true',
    'product_key_rotations t WHERE true',
  ]
    .map(
      (texts) => `EXISTS (SELECT 1 FROM ${texts}
        AND substring(t.key_ciphertext FROM 3 FOR get_byte(t.key_ciphertext, 1)) = convert_to(s.key_id, 'UTF8'))`,
    )
    .join(' OR ')}) LIMIT 1`;

/** Refuses to start without a key that something stored was made with and that the jobs which replace it have not replaced yet. */
async function refuseMissing(db: Database, { hmac, encryption }: Keyring): Promise<void> {
  for (const [purpose, set, text] of [
    ['HMAC', hmac, unfindable],
    ['ENCRYPTION', encryption, unreadable],
  ] as const) {
    const [missing] = await db.sql<{ id: string }>(null, text, [[...set.keys.keys()]]);
    if (!missing) continue;
    throw new Error(
      `LATCHKEY_${purpose}_KEYS: what is stored still needs the key "${missing.id}". ` +
        'Put it back behind the new one, until a worker has replaced it.',
    );
  }
}
