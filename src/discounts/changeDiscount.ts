import { recordChange, type ChangeType } from '../events/recordChange.js';
import type { Discount } from '../generated/prisma/client.js';
import { changedFields } from '../kernel/changedFields.js';
import type { Tx } from '../kernel/transaction.js';

/** A step: writes the fields that differ to a discount whose row is locked. A change of nothing writes nothing. */
export async function changeDiscount(
  tx: Tx,
  type: ChangeType,
  current: Discount,
  change: Partial<Discount>,
): Promise<void> {
  const changed = changedFields(current, change);
  if (!changed) return;
  const { businessId, mode, id } = current;
  const discount = await tx.prisma.discount.update({
    where: { businessId_mode_id: { businessId, mode, id } },
    data: { ...changed.after, version: { increment: 1 }, updatedAt: tx.ctx.now } as never,
  });
  const about = { objectType: 'Discount', objectId: id, sequence: discount.version } as const;
  recordChange(tx, { type, ...about, ...changed, snapshot: discount });
}
