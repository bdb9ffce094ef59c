import type { AttachPricingRuleInput } from '../generated/graphql.js';
import { Refusal } from '../kernel/refusal.js';
import type { RequestContext } from '../kernel/requestContext.js';
import { inSqlTransaction } from '../kernel/transaction.js';
import { MAX_RULES, otherCurrency, tooManyRules } from '../pricing/findRules.js';
import { lockPricingRule, refuseIfRuleArchived } from '../pricing/lockPricingRule.js';
import { attachmentOf } from '../productKeys/attachPricingRules.js';
import { changeProductKey } from '../productKeys/changeProductKey.js';
import { detachRule } from './detachRule.js';
import { lockCharges } from './lockCharges.js';

const path = ['input', 'pricingRuleId'];

/**
 * Attaches a pricing rule to a product key at its newest version, in place of an older one. What is attached so changes nothing.
 * @throws Refusal ProductKeyNotFound, ModeMismatch, BrandMismatch, StaleObject, ProductKeyEnded, PricingRuleNotFound,
 *   PricingRuleArchived, CurrencyMismatch, InvalidInput when too many are attached
 */
export async function attachPricingRule(
  ctx: RequestContext,
  input: AttachPricingRuleInput,
): Promise<{ productKeyId: string; customerId: string }> {
  return inSqlTransaction(ctx, async (tx) => {
    const { key, rules, at } = await lockCharges(tx, input);
    const rule = await lockPricingRule(tx, input.pricingRuleId, 'USE');
    refuseIfRuleArchived(rule);
    const refs = { productKeyId: key.id, customerId: key.customerId };
    const older = rules.find(({ pricingRuleId }) => pricingRuleId === rule.id);
    if (older?.version === rule.version) return refs;
    const others = rules.filter((other) => other !== older);
    const other = others.find(({ currency }) => currency !== rule.currency);
    if (other) throw new Refusal([otherCurrency(path, other.currency)]);
    if (others.length >= MAX_RULES) throw new Refusal([tooManyRules(path)]);
    if (older) await detachRule(tx, older, at);
    tx.insert('product_key_pricing_rules', attachmentOf(tx, key.id, rule, at));
    const before = { pricingRuleVersion: older?.version ?? null };
    const aside = { before, after: { pricingRuleId: rule.id, pricingRuleVersion: rule.version } };
    await changeProductKey(tx, key, {}, { type: 'product_key.pricing_rule_attached', reason: null, aside });
    return refs;
  });
}
