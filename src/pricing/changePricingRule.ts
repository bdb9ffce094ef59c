import { recordChange, type ChangeType } from '../events/recordChange.js';
import type { PricingRule } from '../generated/prisma/client.js';
import { changedFields } from '../kernel/changedFields.js';
import type { Tx } from '../kernel/transaction.js';

/**
 * A step: writes the fields that differ to a pricing rule whose row is locked. A change of nothing writes nothing.
 * @returns the rule as it is now; null: nothing differs
 */
export async function changePricingRule(
  tx: Tx,
  type: ChangeType,
  current: PricingRule,
  change: Partial<PricingRule>,
): Promise<PricingRule | null> {
  const changed = changedFields(current, change);
  if (!changed) return null;
  const { businessId, mode, id } = current;
  const rule = await tx.prisma.pricingRule.update({
    where: { businessId_mode_id: { businessId, mode, id } },
    data: { ...changed.after, version: { increment: 1 }, updatedAt: tx.ctx.now } as never,
  });
  const about = { objectType: 'PricingRule', objectId: id, sequence: rule.version } as const;
  recordChange(tx, { type, ...about, ...changed, snapshot: rule });
  return rule;
}
