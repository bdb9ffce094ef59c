import type { UnblockLicenseInput } from '../generated/graphql.js';
import type { RequestContext } from '../kernel/requestContext.js';
import { inSqlTransaction } from '../kernel/transaction.js';
import { changeLicenseStatus, checkedReason } from './changeLicenseStatus.js';

/**
 * Puts a blocked license back to what it was before, and gives back what it granted unless it is paused.
 * @throws Refusal InvalidInput, LicenseNotFound, ModeMismatch, BrandMismatch, StaleObject, IllegalTransition
 */
export async function unblockLicense(ctx: RequestContext, input: UnblockLicenseInput): Promise<{ licenseId: string }> {
  const reason = checkedReason(input.reason);
  return inSqlTransaction(ctx, (tx) => changeLicenseStatus(tx, input, 'unblock', reason));
}
