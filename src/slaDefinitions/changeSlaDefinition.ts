import { recordChange, type ChangeType } from '../events/recordChange.js';
import type { SlaDefinition } from '../generated/prisma/client.js';
import { changedFields } from '../kernel/changedFields.js';
import type { Tx } from '../kernel/transaction.js';

/**
 * A step: writes the fields that differ to an SLA definition whose row is locked. A change of nothing writes nothing.
 * @param aside what differs between its versions
 */
export async function changeSlaDefinition(
  tx: Tx,
  type: ChangeType,
  { current, change }: { current: SlaDefinition; change: Partial<SlaDefinition> },
  aside: { before: object; after: object } = { before: {}, after: {} },
): Promise<void> {
  const changed = changedFields(current, change);
  if (!changed) return;
  const { businessId, mode, id } = current;
  const definition = await tx.prisma.slaDefinition.update({
    where: { businessId_mode_id: { businessId, mode, id } },
    data: { ...changed.after, version: { increment: 1 }, updatedAt: tx.ctx.now } as never,
  });
  recordChange(tx, {
    type,
    objectType: 'SlaDefinition',
    objectId: id,
    sequence: definition.version,
    before: { ...aside.before, ...changed.before },
    after: { ...aside.after, ...changed.after },
    snapshot: { ...aside.after, ...definition },
  });
}
