import type { PauseLicenseInput } from '../generated/graphql.js';
import type { RequestContext } from '../kernel/requestContext.js';
import { inSqlTransaction } from '../kernel/transaction.js';
import { changeLicenseStatus, checkedReason } from './changeLicenseStatus.js';

/**
 * Stops an active license for a while, and what it granted with it. Its window runs on.
 * @throws Refusal InvalidInput, LicenseNotFound, ModeMismatch, BrandMismatch, StaleObject, IllegalTransition
 */
export async function pauseLicense(ctx: RequestContext, input: PauseLicenseInput): Promise<{ licenseId: string }> {
  const reason = checkedReason(input.reason);
  return inSqlTransaction(ctx, (tx) => changeLicenseStatus(tx, input, 'pause', reason));
}
