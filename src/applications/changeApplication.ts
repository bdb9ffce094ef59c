import { recordChange, type ChangeType } from '../events/recordChange.js';
import type { Application } from '../generated/prisma/client.js';
import { changedFields } from '../kernel/changedFields.js';
import type { Tx } from '../kernel/transaction.js';

/** A step: writes the fields that differ to an application whose row is locked. A change of nothing writes nothing. */
export async function changeApplication(
  tx: Tx,
  type: ChangeType,
  current: Application,
  change: Partial<Application>,
): Promise<void> {
  const changed = changedFields(current, change);
  if (!changed) return;
  const { businessId, mode, id } = current;
  const application = await tx.prisma.application.update({
    where: { businessId_mode_id: { businessId, mode, id } },
    data: { ...changed.after, version: { increment: 1 }, updatedAt: tx.ctx.now } as never,
  });
  recordChange(tx, {
    type,
    objectType: 'Application',
    objectId: id,
    sequence: application.version,
    ...changed,
    snapshot: application,
  });
}
