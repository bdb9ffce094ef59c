import { tenantOf } from '../kernel/requestContext.js';
import type { SqlTx } from '../kernel/transaction.js';

/**
 * A step: mails that were withdrawn while their grants were taken back go out after all, now that the grants are restored. One
 * that is being withdrawn just now is told so by its version: `sendDelivery` then looks again. It keeps its job: a second one
 * would send it twice.
 */
export async function requeueWithdrawn(tx: SqlTx, grantIds: readonly string[]): Promise<void> {
  if (grantIds.length === 0) return;
  const { businessId, mode } = tenantOf(tx.ctx);
  await tx.sql(
    'requeue_withdrawn_mails',
    `UPDATE deliveries SET status = 'QUEUED', failure = NULL,
        enqueued_at = CASE WHEN status = 'QUEUED' THEN enqueued_at END, version = version + 1, updated_at = $4
      WHERE business_id = $1 AND mode = $2 AND grant_id = ANY($3::uuid[]) AND (failure = 'WITHDRAWN' OR status = 'QUEUED')`,
    [businessId, mode, grantIds, tx.ctx.now],
  );
}

/** A step: the same for mails that bring a key by itself, now that the key is enabled again. */
export async function requeueWithdrawnOfKey(tx: SqlTx, licenseKeyId: string): Promise<void> {
  const { businessId, mode } = tenantOf(tx.ctx);
  await tx.sql(
    'requeue_withdrawn_mails_of_key',
    `UPDATE deliveries SET status = 'QUEUED', failure = NULL, enqueued_at = NULL, version = version + 1, updated_at = $4
      WHERE business_id = $1 AND mode = $2 AND license_key_id = $3 AND failure = 'WITHDRAWN'`,
    [businessId, mode, licenseKeyId, tx.ctx.now],
  );
}
