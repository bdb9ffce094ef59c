import type { Activation } from '../generated/prisma/client.js';
import type { Tenant } from '../kernel/requestContext.js';
import { columnsOf } from '../kernel/rows.js';
import type { SqlTx } from '../kernel/transaction.js';
import { erasedFingerprintSql } from '../validation/erasedFingerprint.js';

/** A step: a key's activation on a device, locked until the transaction ends; null when there never was one. */
export async function lockActivation(
  tx: SqlTx,
  { businessId, mode }: Tenant,
  licenseKeyId: string,
  fingerprint: string,
): Promise<Activation | null> {
  const [activation] = await tx.sql<Activation>(
    'lock_activation',
    `SELECT ${columnsOf('Activation')} FROM activations
      WHERE business_id = $1 AND mode = $2 AND license_key_id = $3 AND fingerprint IN ($4, ${erasedFingerprintSql('$3::uuid', '$4::text')})
      FOR NO KEY UPDATE`,
    [businessId, mode, licenseKeyId, fingerprint],
  );
  return activation ?? null;
}
