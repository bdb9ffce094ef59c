import type { ResumeLicenseInput } from '../generated/graphql.js';
import type { RequestContext } from '../kernel/requestContext.js';
import { inSqlTransaction } from '../kernel/transaction.js';
import { changeLicenseStatus, checkedReason } from './changeLicenseStatus.js';

/**
 * Makes a paused license active again, and gives back what it granted.
 * @throws Refusal InvalidInput, LicenseNotFound, ModeMismatch, BrandMismatch, StaleObject, IllegalTransition
 */
export async function resumeLicense(ctx: RequestContext, input: ResumeLicenseInput): Promise<{ licenseId: string }> {
  const reason = checkedReason(input.reason);
  return inSqlTransaction(ctx, (tx) => changeLicenseStatus(tx, input, 'resume', reason));
}
