import type { License } from '../generated/prisma/client.js';
import { tenantOf } from '../kernel/requestContext.js';
import { columnsOf } from '../kernel/rows.js';
import type { SqlReader } from '../kernel/transaction.js';
import { statusOf } from '../lifecycle/dueChanges.js';

/** A step: the license that renews another one; null: none does, or that one is cancelled by now. */
export async function findRenewal(reader: SqlReader, { renewalId }: License): Promise<License | null> {
  if (renewalId === null) return null;
  const { businessId, mode } = tenantOf(reader.ctx);
  const [renewal] = await reader.sql<License>(
    'find_license',
    `SELECT ${columnsOf('License')} FROM licenses WHERE business_id = $1 AND mode = $2 AND id = $3`,
    [businessId, mode, renewalId],
  );
  return renewal && statusOf(renewal, reader.ctx.now) !== 'CANCELLED' ? renewal : null;
}

/** A step: the license that one renews, locked until the transaction ends where that is asked for; null: it renews none. */
export async function findPredecessor(
  reader: SqlReader,
  licenseId: string,
  lock: 'LOCK' | 'READ' = 'READ',
): Promise<License | null> {
  const { businessId, mode } = tenantOf(reader.ctx);
  const [predecessor] = await reader.sql<License>(
    `${lock}_predecessor`,
    `SELECT ${columnsOf('License')} FROM licenses WHERE business_id = $1 AND mode = $2 AND renewal_id = $3
      ${lock === 'LOCK' ? 'FOR NO KEY UPDATE' : ''}`,
    [businessId, mode, licenseId],
  );
  return predecessor ?? null;
}
