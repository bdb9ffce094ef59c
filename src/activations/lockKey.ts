import type { LicenseKey } from '../generated/prisma/client.js';
import type { Tenant } from '../kernel/requestContext.js';
import type { SqlTx } from '../kernel/transaction.js';
import { endLapsedActivations } from './endLapsedActivations.js';

/** What of a key's row its devices are counted by. */
export type SeatedKey = Pick<LicenseKey, 'id' | 'activationsLimit' | 'version'>;

/**
 * A step: locks a key's row, which is what its devices wait for, and frees the seats of lapsed leases: from then on the row's
 * `activations_used` is exactly how many devices have one. Null: another transaction has it, and was not to be waited for.
 */
export async function lockKey(
  tx: SqlTx,
  { businessId, mode }: Tenant,
  licenseKeyId: string,
  { wait }: { wait: boolean } = { wait: true },
): Promise<SeatedKey | null> {
  const [key] = await tx.sql<SeatedKey>(
    wait ? 'lock_key_for_device' : 'lock_key_for_lapse',
    `SELECT id, activations_limit AS "activationsLimit", version FROM license_keys
      WHERE business_id = $1 AND mode = $2 AND id = $3 FOR NO KEY UPDATE ${wait ? '' : 'SKIP LOCKED'}`,
    [businessId, mode, licenseKeyId],
  );
  if (!key) return null;
  await endLapsedActivations(tx, { businessId, mode }, licenseKeyId);
  return key;
}
