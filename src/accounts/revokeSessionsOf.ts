import { recordChange } from '../events/recordChange.js';
import type { CustomerSession } from '../generated/prisma/client.js';
import { tenantOf } from '../kernel/requestContext.js';
import { columnsOf } from '../kernel/rows.js';
import type { SqlTx } from '../kernel/transaction.js';

/** A step: ends all sessions of a customer that are open. */
export async function revokeSessionsOf(tx: SqlTx, customerId: string): Promise<void> {
  const { businessId, mode } = tenantOf(tx.ctx);
  const sessions = await tx.sql<CustomerSession>(
    'revoke_sessions_of_customer',
    `UPDATE customer_sessions SET revoked_at = $4, version = version + 1, updated_at = $4
      WHERE business_id = $1 AND mode = $2 AND customer_id = $3 AND revoked_at IS NULL AND expires_at > $4
      RETURNING ${columnsOf('CustomerSession')}`,
    [businessId, mode, customerId, tx.ctx.now],
  );
  for (const session of sessions) {
    recordChange(tx, {
      type: 'customer_session.revoked',
      objectType: 'CustomerSession',
      objectId: session.id,
      sequence: session.version,
      snapshot: session,
    });
  }
}
