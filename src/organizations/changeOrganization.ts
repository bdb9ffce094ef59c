import { recordChange, type ChangeType } from '../events/recordChange.js';
import type { Organization } from '../generated/prisma/client.js';
import { changedFields } from '../kernel/changedFields.js';
import type { Tx } from '../kernel/transaction.js';

/** A step: writes the fields that differ to an organization whose row is locked. A change of nothing writes nothing. */
export async function changeOrganization(
  tx: Tx,
  type: ChangeType,
  current: Organization,
  change: Partial<Organization>,
): Promise<void> {
  const changed = changedFields(current, change);
  if (!changed) return;
  const { businessId, mode, id } = current;
  const organization = await tx.prisma.organization.update({
    where: { businessId_mode_id: { businessId, mode, id } },
    data: { ...changed.after, version: { increment: 1 }, updatedAt: tx.ctx.now } as never,
  });
  recordChange(tx, {
    type,
    objectType: 'Organization',
    objectId: id,
    sequence: organization.version,
    ...changed,
    snapshot: organization,
  });
}
