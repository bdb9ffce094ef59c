import type { PricingRule } from '../generated/prisma/client.js';
import { uuidOf } from '../kernel/id.js';
import { missing } from '../kernel/missing.js';
import { Refusal } from '../kernel/refusal.js';
import { tenantOf } from '../kernel/requestContext.js';
import { columnsOf } from '../kernel/rows.js';
import type { SqlTx } from '../kernel/transaction.js';
import { archivedRule } from './findRules.js';

const path = ['input', 'pricingRuleId'];

/**
 * A step: the pricing rule that `pricingRuleId` names, locked until the transaction ends.
 * @param strength CHANGE against every other change of it; USE only against changes
 * @throws Refusal PricingRuleNotFound (the same for foreign and unknown ids), ModeMismatch
 */
export async function lockPricingRule(
  tx: SqlTx,
  pricingRuleId: string,
  strength: 'CHANGE' | 'USE' = 'CHANGE',
): Promise<PricingRule> {
  const { businessId, mode } = tenantOf(tx.ctx);
  const id = uuidOf('PricingRule', pricingRuleId);
  const lock = strength === 'CHANGE' ? 'FOR NO KEY UPDATE' : 'FOR SHARE';
  const [rule] = await tx.sql<PricingRule>(
    `lock_pricing_rule_${strength}`,
    `SELECT ${columnsOf('PricingRule')} FROM pricing_rules WHERE business_id = $1 AND mode = $2 AND id = $3 ${lock}`,
    [businessId, mode, id],
  );
  if (rule) return rule;
  throw await missing(tx, 'PricingRule', id, path, 'PricingRuleNotFound', 'There is no pricing rule with this id.');
}

/** @throws Refusal PricingRuleArchived */
export function refuseIfRuleArchived({ archivedAt }: PricingRule): void {
  if (archivedAt !== null) throw new Refusal([archivedRule(path)]);
}
