import type { DetachPricingRuleInput } from '../generated/graphql.js';
import type { RequestContext } from '../kernel/requestContext.js';
import { inSqlTransaction } from '../kernel/transaction.js';
import { lockPricingRule } from '../pricing/lockPricingRule.js';
import { changeProductKey } from '../productKeys/changeProductKey.js';
import { detachRule } from './detachRule.js';
import { lockCharges } from './lockCharges.js';

/**
 * Detaches a pricing rule from a product key. What is not attached changes nothing.
 * @throws Refusal ProductKeyNotFound, ModeMismatch, BrandMismatch, StaleObject, ProductKeyEnded, PricingRuleNotFound
 */
export async function detachPricingRule(
  ctx: RequestContext,
  input: DetachPricingRuleInput,
): Promise<{ productKeyId: string; customerId: string }> {
  return inSqlTransaction(ctx, async (tx) => {
    const { key, rules, at } = await lockCharges(tx, input);
    const { id: pricingRuleId } = await lockPricingRule(tx, input.pricingRuleId, 'USE');
    const attached = rules.find((rule) => rule.pricingRuleId === pricingRuleId);
    if (attached) {
      await detachRule(tx, attached, at);
      const before = { pricingRuleId, pricingRuleVersion: attached.version };
      const aside = { before, after: { pricingRuleVersion: null } };
      await changeProductKey(tx, key, {}, { type: 'product_key.pricing_rule_detached', reason: null, aside });
    }
    return { productKeyId: key.id, customerId: key.customerId };
  });
}
