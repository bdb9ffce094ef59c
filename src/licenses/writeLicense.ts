import { recordChange, type ChangeType } from '../events/recordChange.js';
import type { License } from '../generated/prisma/client.js';
import { changedFields } from '../kernel/changedFields.js';
import { columnsOf } from '../kernel/rows.js';
import type { SqlTx } from '../kernel/transaction.js';

const statement = `UPDATE licenses SET status = $4, status_before_block = $5, valid_from = $6, activated_at = $7, paused_at = $8,
    cancelled_at = $9, pending_status = $10, pending_status_at = $11, product_offering_id = $12, type = $13,
    offering_since = $14, pending_offering_id = $15, pending_offering_at = $16, expired_at = $17,
    version = version + 1, updated_at = $18
  WHERE business_id = $1 AND mode = $2 AND id = $3 RETURNING ${columnsOf('License')}`;

/**
 * A step, one statement: writes what changed of a locked license's life, true from `tx.ctx.now` on, and records it.
 * @param license as it is stored
 * @param next as it shall be
 * @returns the license as it then is
 */
export async function writeLicense(
  tx: SqlTx,
  license: License,
  next: License,
  { type, reason }: { type: ChangeType; reason: string | null },
): Promise<License> {
  const [written] = (await tx.sql<License>('write_license', statement, [
    ...[license.businessId, license.mode, license.id],
    ...[next.status, next.statusBeforeBlock, next.validFrom, next.activatedAt, next.pausedAt, next.cancelledAt],
    ...[next.pendingStatus, next.pendingStatusAt, next.productOfferingId, next.type, next.offeringSince],
    ...[next.pendingOfferingId, next.pendingOfferingAt, next.expiredAt, tx.ctx.now],
  ])) as [License];
  const { updatedAt: _, version, ...fields } = written;
  recordChange(tx, {
    type,
    objectType: 'License',
    objectId: license.id,
    sequence: version,
    ...changedFields(license, fields),
    snapshot: written,
    reason,
  });
  return written;
}
