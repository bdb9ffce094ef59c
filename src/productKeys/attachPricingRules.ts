import type { PricingRule, ProductKeyPricingRule } from '../generated/prisma/client.js';
import { newId } from '../kernel/id.js';
import type { UserErrorData } from '../kernel/refusal.js';
import { tenantOf } from '../kernel/requestContext.js';
import type { SqlTx } from '../kernel/transaction.js';
import { findRules } from '../pricing/findRules.js';

/**
 * A step: attaches pricing rules to a new product key, each at its present version; buffered. Adds a problem for each that is
 * unknown, of the other mode or archived, or charges in another currency than the first.
 */
export async function attachPricingRules(
  tx: SqlTx,
  problems: UserErrorData[],
  productKeyId: string,
  pricingRuleIds: readonly string[],
): Promise<void> {
  const rules = await findRules(tx, problems, pricingRuleIds, 'HOLD');
  tx.insert('product_key_pricing_rules', ...rules.map((rule) => attachmentOf(tx, productKeyId, rule, tx.ctx.now)));
}

/** That a rule is attached at its present version from an instant on. */
export function attachmentOf(
  tx: SqlTx,
  productKeyId: string,
  { id: pricingRuleId, version: pricingRuleVersion }: PricingRule,
  attachedAt: Date,
): ProductKeyPricingRule {
  const attached = { pricingRuleId, pricingRuleVersion, attachedAt, detachedAt: null };
  return { ...tenantOf(tx.ctx), id: newId(), productKeyId, ...attached };
}
