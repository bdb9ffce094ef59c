import { recordChange } from '../events/recordChange.js';
import type { License, LicenseStatus } from '../generated/prisma/client.js';
import { restoreGrantsOf, revokeGrantsForGoodOf, revokeGrantsOf } from '../grants/grantsOfLicense.js';
import { changedFields } from '../kernel/changedFields.js';
import { columnsOf } from '../kernel/rows.js';
import type { SqlTx } from '../kernel/transaction.js';
import { after, licenseEvents, type LicenseEvent } from './transitions.js';

const statement = `UPDATE licenses SET status = $4, status_before_block = $5, valid_from = $6, activated_at = $7, paused_at = $8,
    cancelled_at = $9, pending_status = $10, pending_status_at = $11, version = version + 1, updated_at = $12
  WHERE business_id = $1 AND mode = $2 AND id = $3 RETURNING ${columnsOf('License')}`;

/**
 * A step: makes a legal change of status true of a locked license from `tx.ctx.now` on, with its effect on grants and keys. The
 * grants are locked before the license's window is written: whoever fulfils one of them binds its key to the license after
 * locking it, and would wait crosswise.
 * @returns the license as it then is
 */
export async function moveLicense(
  tx: SqlTx,
  license: License,
  { event, to, reason }: { event: LicenseEvent; to: LicenseStatus; reason: string | null },
): Promise<License> {
  const { change, revokes, restores } = licenseEvents[event];
  if (event === 'cancel') await revokeGrantsForGoodOf(tx, license.id, 'LICENSE_CANCELLED', reason);
  if (revokes) await revokeGrantsOf(tx, license.id, revokes, reason);
  if (restores) await restoreGrantsOf(tx, license.id, restores, reason);
  const next = after(license, to, tx.ctx.now);
  const [moved] = (await tx.sql<License>('move_license', statement, [
    ...[license.businessId, license.mode, license.id],
    ...[next.status, next.statusBeforeBlock, next.validFrom, next.activatedAt, next.pausedAt, next.cancelledAt],
    ...[next.pendingStatus, next.pendingStatusAt, tx.ctx.now],
  ])) as [License];
  const { updatedAt: _, version, ...fields } = moved;
  recordChange(tx, {
    type: change,
    objectType: 'License',
    objectId: license.id,
    sequence: version,
    ...changedFields(license, fields),
    snapshot: moved,
    reason,
  });
  return moved;
}
