import type { Entitlement } from '../generated/prisma/client.js';
import { uuidOf } from '../kernel/id.js';
import { refusal } from '../kernel/refusal.js';
import { tenantOf } from '../kernel/requestContext.js';
import { columnsOf } from '../kernel/rows.js';
import type { SqlTx } from '../kernel/transaction.js';

/**
 * A step: the entitlement that `entitlementId` names, locked against other changes until the transaction ends. Grants of it
 * may be issued meanwhile: they only hold its key.
 * @throws Refusal EntitlementNotFound, the same for foreign and unknown ids
 */
export async function lockEntitlement(tx: SqlTx, entitlementId: string): Promise<Entitlement> {
  const [entitlement] = await tx.sql<Entitlement>(
    'lock_entitlement',
    `SELECT ${columnsOf('Entitlement')} FROM entitlements WHERE business_id = $1 AND id = $2 FOR NO KEY UPDATE`,
    [tenantOf(tx.ctx).businessId, uuidOf('Entitlement', entitlementId)],
  );
  if (entitlement) return entitlement;
  throw refusal('EntitlementNotFound', ['input', 'entitlementId'], 'There is no entitlement with this id.');
}
