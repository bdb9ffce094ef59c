import type { UpdatePricingRuleInput } from '../generated/graphql.js';
import { refuseIfAny, type UserErrorData } from '../kernel/refusal.js';
import type { RequestContext } from '../kernel/requestContext.js';
import { checkNotNull } from '../kernel/text.js';
import { inTransaction } from '../kernel/transaction.js';
import { refuseIfStale } from '../kernel/version.js';
import { addRuleVersion } from './addRuleVersion.js';
import { changePricingRule } from './changePricingRule.js';
import { lockPricingRule, refuseIfRuleArchived } from './lockPricingRule.js';
import { fieldProblems, ruleWith } from './ruleInput.js';

/**
 * Changes a pricing rule: absent leaves, null clears. What it is then is its next version; product keys keep the one that was
 * attached to them.
 * @throws Refusal InvalidInput, InvalidAmount, PricingRuleNotFound, ModeMismatch, PricingRuleArchived, StaleObject
 */
export async function updatePricingRule(
  ctx: RequestContext,
  input: UpdatePricingRuleInput,
): Promise<{ pricingRuleId: string }> {
  const problems = fieldProblems(input);
  checkNotNull(problems, input, 'name', 'model', 'appliesTo');
  refuseIfAny(problems);
  return inTransaction(ctx, async (tx) => {
    const current = await lockPricingRule(tx, input.pricingRuleId);
    refuseIfRuleArchived(current);
    refuseIfStale(current, input.expectedVersion);
    const late: UserErrorData[] = [];
    const fields = ruleWith(late, input, current, current.currency);
    refuseIfAny(late);
    const rule = await changePricingRule(tx, 'pricing_rule.updated', current, fields);
    if (rule) addRuleVersion(tx, rule);
    return { pricingRuleId: current.id };
  });
}
