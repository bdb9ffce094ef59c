import type { Grant } from '../generated/prisma/client.js';
import { tenantOf } from '../kernel/requestContext.js';
import { columnsOf } from '../kernel/rows.js';
import type { SqlTx } from '../kernel/transaction.js';
import { carryOutDueEffects } from './carryOutDueEffects.js';

/**
 * A step: the grants that delivered a key, locked, once what happened to their licenses by itself has been written of them.
 * Before the key itself is locked, as revoking and cancelling do, so that nobody waits crosswise. A key gets its grant when it
 * is made, so none can come to it meanwhile.
 */
export async function lockGrantsOfKey(tx: SqlTx, licenseKeyId: string): Promise<Grant[]> {
  const { businessId, mode } = tenantOf(tx.ctx);
  const stored = await tx.sql<Grant>(
    'lock_grants_of_key',
    `SELECT ${columnsOf('Grant')} FROM grants WHERE business_id = $1 AND mode = $2 AND license_key_id = $3
      ORDER BY id FOR NO KEY UPDATE`,
    [businessId, mode, licenseKeyId],
  );
  const grants: Grant[] = [];
  for (const grant of stored) grants.push(grant.licenseId === null ? grant : await carryOutDueEffects(tx, grant));
  return grants;
}
