import type { SystemParts } from '../jobs/systemContext.js';
import type { Tenant } from '../kernel/requestContext.js';
import { resealed, type SealedSigningKey } from './signingKey.js';

const BATCH = 200;

/**
 * A job: encrypts the private halves of signing keys with the current encryption key, so that older ones can be taken out of the
 * configuration. In transactions of 200; keys that somebody rotates just now are left for the next run.
 * @returns how many it worked on
 */
export async function rekeySigningKeys({ db, keyring }: SystemParts): Promise<number> {
  if (keyring.encryption.keys.size < 2) return 0;
  for (let done = 0; ;) {
    const count = await rekeyBatch({ db, keyring });
    done += count;
    if (count < BATCH) return done;
  }
}

async function rekeyBatch({ db, keyring: { encryption } }: Pick<SystemParts, 'db' | 'keyring'>): Promise<number> {
  const client = await db.writer.pool.connect();
  let broken: Error | undefined;
  try {
    await client.query('BEGIN');
    const { rows } = await client.query<Tenant & SealedSigningKey>({
      name: 'signing_keys_to_rekey',
      text: `SELECT business_id AS "businessId", mode, id, public_key AS "publicKey", key_ciphertext AS "keyCiphertext"
        FROM signing_keys WHERE key_ciphertext IS NOT NULL
          AND substring(key_ciphertext FROM 3 FOR get_byte(key_ciphertext, 1)) <> convert_to($1, 'UTF8')
        ORDER BY business_id, mode, id LIMIT ${BATCH} FOR NO KEY UPDATE SKIP LOCKED`,
      values: [encryption.currentId],
    });
    await client.query({
      name: 'rekey_signing_keys',
      text: `UPDATE signing_keys s SET key_ciphertext = n.ciphertext
        FROM unnest($1::uuid[], $2::mode[], $3::uuid[], $4::bytea[]) AS n (business_id, mode, id, ciphertext)
        WHERE s.business_id = n.business_id AND s.mode = n.mode AND s.id = n.id`,
      values: [
        ...[rows.map(({ businessId }) => businessId), rows.map(({ mode }) => mode), rows.map(({ id }) => id)],
        rows.map((row) => resealed(encryption, row, row)),
      ],
    });
    await client.query('COMMIT');
    return rows.length;
  } catch (error) {
    await client.query('ROLLBACK').catch((rollbackError: Error) => (broken = rollbackError));
    throw error;
  } finally {
    client.release(broken);
  }
}
