import { recordChange } from '../events/recordChange.js';
import type { CreatePricingRuleInput } from '../generated/graphql.js';
import type { PricingRule } from '../generated/prisma/client.js';
import { checkCurrency } from '../kernel/amount.js';
import { newId } from '../kernel/id.js';
import { refuseIfAny } from '../kernel/refusal.js';
import { tenantOf, type RequestContext } from '../kernel/requestContext.js';
import { inSqlTransaction } from '../kernel/transaction.js';
import { addRuleVersion } from './addRuleVersion.js';
import { fieldProblems, ruleWith } from './ruleInput.js';

/**
 * Creates a pricing rule that product keys can be charged by.
 * @throws Refusal InvalidInput, InvalidAmount, InvalidCurrency
 */
export async function createPricingRule(
  ctx: RequestContext,
  { currencyCode: currency, ...input }: CreatePricingRuleInput,
): Promise<{ pricingRuleId: string }> {
  const problems = fieldProblems(input);
  checkCurrency(problems, currency);
  const fields = ruleWith(problems, input, null, currency);
  refuseIfAny(problems);
  return inSqlTransaction(ctx, (tx) => {
    const born = { archivedAt: null, version: 1, createdAt: ctx.now, updatedAt: ctx.now };
    const rule: PricingRule = { ...tenantOf(ctx), id: newId(), currency, ...fields, ...born };
    tx.insert('pricing_rules', rule as never);
    addRuleVersion(tx, rule);
    const about = { objectType: 'PricingRule', objectId: rule.id, sequence: 1 } as const;
    recordChange(tx, { type: 'pricing_rule.created', ...about, snapshot: rule });
    return Promise.resolve({ pricingRuleId: rule.id });
  });
}
