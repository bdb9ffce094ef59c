import type { PricingRule } from '../generated/prisma/client.js';
import type { SqlTx } from '../kernel/transaction.js';

/** A step: keeps a pricing rule as it is now, for good; buffered. */
export function addRuleVersion(tx: SqlTx, rule: PricingRule): void {
  const { businessId, mode, id, version, name, description, currency, model, ...rest } = rule;
  const { appliesTo, amountMinor, unitPrice, tiers } = rest;
  const terms = { name, description, currency, model, appliesTo, amountMinor, unitPrice, tiers: tiers as never };
  const createdAt = tx.ctx.now;
  tx.insert('pricing_rule_versions', { businessId, mode, pricingRuleId: id, version, ...terms, createdAt });
}
