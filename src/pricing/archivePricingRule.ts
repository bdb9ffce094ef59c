import type { ArchivePricingRuleInput } from '../generated/graphql.js';
import type { RequestContext } from '../kernel/requestContext.js';
import { inTransaction } from '../kernel/transaction.js';
import { refuseIfStale } from '../kernel/version.js';
import { changePricingRule } from './changePricingRule.js';
import { lockPricingRule } from './lockPricingRule.js';

/**
 * Archives a pricing rule: it is attached no more; product keys that have it keep it. Archiving again changes nothing.
 * @throws Refusal PricingRuleNotFound, ModeMismatch, StaleObject
 */
export async function archivePricingRule(
  ctx: RequestContext,
  input: ArchivePricingRuleInput,
): Promise<{ pricingRuleId: string }> {
  return inTransaction(ctx, async (tx) => {
    const current = await lockPricingRule(tx, input.pricingRuleId);
    if (current.archivedAt) return { pricingRuleId: current.id };
    refuseIfStale(current, input.expectedVersion);
    await changePricingRule(tx, 'pricing_rule.archived', current, { archivedAt: ctx.now });
    return { pricingRuleId: current.id };
  });
}
