import type { UnblockLicenseInput } from '../generated/graphql.js';
import type { RequestContext } from '../kernel/requestContext.js';
import { inSqlTransaction } from '../kernel/transaction.js';
import { changeLicenseStatus } from './changeLicenseStatus.js';
import { windowTaken } from './license.js';

/**
 * Puts a blocked license back to what it was before, and gives back what it granted unless it is paused.
 * @throws Refusal InvalidInput, LicenseNotFound, ModeMismatch, BrandMismatch, StaleObject, IllegalTransition, AssigneeTaken,
 *   LicenseKeyInUse
 */
export async function unblockLicense(ctx: RequestContext, input: UnblockLicenseInput): Promise<{ licenseId: string }> {
  return inSqlTransaction(ctx, (tx) => changeLicenseStatus(tx, input, 'unblock'), windowTaken);
}
