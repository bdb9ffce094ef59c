import type { SqlTx } from '../kernel/transaction.js';
import type { AttachedRule } from '../pricing/readCharges.js';

/** A step: a rule charges a locked product key no more from an instant on. */
export async function detachRule(
  tx: SqlTx,
  { businessId, mode, attachmentId }: AttachedRule,
  detachedAt: Date,
): Promise<void> {
  await tx.sql(
    'detach_pricing_rule',
    'UPDATE product_key_pricing_rules SET detached_at = $4 WHERE business_id = $1 AND mode = $2 AND id = $3',
    [businessId, mode, attachmentId, detachedAt],
  );
}
