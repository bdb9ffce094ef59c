import { tenantOf } from '../kernel/requestContext.js';
import type { SqlTx } from '../kernel/transaction.js';

/**
 * A step: takes a customer's address out of all mails to it. Those that wait, or were withdrawn for a while, are given up: there
 * is no address any more. A mail that is on its way at this moment cannot be called back; where mails are kept as files, it is
 * noted here too, so that `forgetErasedMails` removes what was written.
 */
export async function withdrawMailsOf(tx: SqlTx, customerId: string): Promise<void> {
  const { businessId, mode } = tenantOf(tx.ctx);
  await tx.sql(
    'withdraw_mails_of_customer',
    `UPDATE deliveries SET recipient = NULL, response = NULL,
        failure = CASE WHEN status = 'QUEUED' OR failure = 'WITHDRAWN' THEN 'NO_ADDRESS' ELSE failure END,
        file = CASE WHEN status = 'QUEUED' AND attempts > 0 THEN coalesce(file, 'mail') ELSE file END,
        status = CASE WHEN status = 'QUEUED' THEN 'FAILED' ELSE status END, version = version + 1, updated_at = $4
      WHERE business_id = $1 AND mode = $2 AND customer_id = $3`,
    [businessId, mode, customerId, tx.ctx.now],
  );
}
