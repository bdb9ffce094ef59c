import { recordChange } from '../events/recordChange.js';
import type { Entitlement } from '../generated/prisma/client.js';
import { tenantOf } from '../kernel/requestContext.js';
import { columnsOf } from '../kernel/rows.js';
import type { SqlTx } from '../kernel/transaction.js';

/** A step: the next version of an entitlement whose row is locked, after something about it changed. */
export async function recordEntitlementUpdate(
  tx: SqlTx,
  id: string,
  change: { before?: object; after?: object },
): Promise<void> {
  const [entitlement] = await tx.sql<Entitlement>(
    'entitlement_updated',
    `UPDATE entitlements SET version = version + 1, updated_at = $3 WHERE business_id = $1 AND id = $2
     RETURNING ${columnsOf('Entitlement')}`,
    [tenantOf(tx.ctx).businessId, id, tx.ctx.now],
  );
  if (!entitlement) throw new Error('a locked entitlement is gone');
  recordChange(tx, {
    type: 'entitlement.updated',
    objectType: 'Entitlement',
    objectId: id,
    sequence: entitlement.version,
    ...change,
    snapshot: entitlement,
  });
}
