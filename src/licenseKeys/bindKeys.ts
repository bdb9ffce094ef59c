import { tenantOf } from '../kernel/requestContext.js';
import type { SqlTx } from '../kernel/transaction.js';

/**
 * A step, one statement: hangs keys on a license that is stored, in its window as it is now. Two licenses on one key at one time
 * are a fault: whoever calls this has looked. A key that hangs on it already is passed over.
 */
export async function bindKeys(tx: SqlTx, licenseId: string, keyIds: readonly string[]): Promise<void> {
  if (keyIds.length === 0) return;
  const { businessId, mode } = tenantOf(tx.ctx);
  await tx.sql(
    'bind_keys',
    `INSERT INTO license_key_bindings (business_id, mode, license_key_id, license_id, created_at)
      SELECT $1, $2, key, $3, $5 FROM unnest($4::uuid[]) AS key
      ON CONFLICT (business_id, mode, license_key_id, license_id) DO NOTHING`,
    [businessId, mode, licenseId, keyIds, tx.ctx.now],
  );
}

/** A step, one statement: the keys that hang on a license and work. */
export async function activeKeysOf(tx: SqlTx, licenseId: string): Promise<string[]> {
  const { businessId, mode } = tenantOf(tx.ctx);
  const keys = await tx.sql<{ id: string }>(
    'active_keys_of_license',
    `SELECT k.id FROM license_key_bindings b
      JOIN license_keys k ON k.business_id = $1 AND k.mode = $2 AND k.id = b.license_key_id AND k.status = 'ACTIVE'
      WHERE b.business_id = $1 AND b.mode = $2 AND b.license_id = $3 ORDER BY k.id`,
    [businessId, mode, licenseId],
  );
  return keys.map(({ id }) => id);
}

/** A step, one statement: whether another license hangs on one of these keys within a window; its id. */
export async function licenseOnKeys(
  tx: SqlTx,
  keyIds: readonly string[],
  { validFrom, validUntil }: { validFrom: Date; validUntil: Date | null },
): Promise<string | null> {
  const { businessId, mode } = tenantOf(tx.ctx);
  const [binding] = await tx.sql<{ id: string }>(
    'license_on_keys',
    `SELECT license_id AS id FROM license_key_bindings
      WHERE business_id = $1 AND mode = $2 AND license_key_id = ANY ($3::uuid[]) AND occupies && tstzrange($4, $5)
      ORDER BY lower(occupies) LIMIT 1`,
    [businessId, mode, keyIds, validFrom, validUntil],
  );
  return binding?.id ?? null;
}
