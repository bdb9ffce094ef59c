import { recordChange } from '../events/recordChange.js';
import type { SigningKey } from '../generated/prisma/client.js';
import { newId } from '../kernel/id.js';
import type { Tenant } from '../kernel/requestContext.js';
import { columnsOf } from '../kernel/rows.js';
import type { SqlTx } from '../kernel/transaction.js';
import { newSealedKey, type SealedSigningKey } from './signingKey.js';

const ATTEMPTS = 5;

/**
 * A step: the key that signs now, made if there is none: exactly one, however many ask at once. Waits for nobody but who writes
 * down, once a day, until when it is shown. A key that is retired meanwhile is shown for as long as what it signs; one that is
 * withdrawn meanwhile stays withdrawn, and the next one signs.
 * @param until how long what is signed must be readable
 */
export async function useSigningKey(tx: SqlTx, tenant: Tenant, until: Date): Promise<SealedSigningKey> {
  const { businessId, mode } = tenant;
  for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
    const [current] = await tx.sql<SealedSigningKey & { publishedUntil: Date }>(
      'use_signing_key',
      `SELECT id, public_key AS "publicKey", key_ciphertext AS "keyCiphertext", published_until AS "publishedUntil"
        FROM signing_keys WHERE business_id = $1 AND mode = $2 AND retired_at IS NULL`,
      [businessId, mode],
    );
    const key = current ?? (await addSigningKey(tx, tenant, until));
    if (!key) continue;
    if (!current || current.publishedUntil >= until || (await publishUntil(tx, tenant, key.id, until))) return key;
  }
  throw new Error('the signing key was rotated again and again');
}

/** Whether it could be written down: not for a key that was retired in between. */
async function publishUntil(tx: SqlTx, { businessId, mode }: Tenant, id: string, until: Date): Promise<boolean> {
  const written = await tx.sql(
    'publish_signing_key_until',
    `UPDATE signing_keys SET published_until = greatest(published_until, $4)
      WHERE business_id = $1 AND mode = $2 AND id = $3 AND retired_at IS NULL RETURNING 1 AS one`,
    [businessId, mode, id, until],
  );
  return written.length === 1;
}

/** A step: makes the current key; null: another transaction just did. */
export async function addSigningKey(tx: SqlTx, tenant: Tenant, until: Date): Promise<SealedSigningKey | null> {
  const { now, keyring } = tx.ctx;
  const { businessId, mode } = tenant;
  const key = newSealedKey(keyring.encryption, tenant, newId());
  const [row] = await tx.sql<SigningKey>(
    'add_signing_key',
    `INSERT INTO signing_keys (business_id, mode, id, public_key, key_ciphertext, published_until, created_at, updated_at)
      VALUES ($1, $2, $3, $4, $5, $6, $7, $7)
      ON CONFLICT (business_id, mode) WHERE retired_at IS NULL DO NOTHING RETURNING ${columnsOf('SigningKey')}`,
    [businessId, mode, key.id, key.publicKey, key.keyCiphertext, until, now],
  );
  if (!row) return null;
  const about = { objectType: 'SigningKey', objectId: row.id, sequence: 1, snapshot: row } as const;
  recordChange(tx, { type: 'signing_key.created', ...about, tenant });
  return key;
}
