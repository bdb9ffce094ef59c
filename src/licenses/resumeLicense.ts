import type { ResumeLicenseInput } from '../generated/graphql.js';
import type { RequestContext } from '../kernel/requestContext.js';
import { inSqlTransaction } from '../kernel/transaction.js';
import { changeLicenseStatus } from './changeLicenseStatus.js';
import { windowTaken } from './license.js';

/**
 * Makes a paused license active again, and gives back what it granted.
 * @throws Refusal InvalidInput, LicenseNotFound, ModeMismatch, BrandMismatch, StaleObject, IllegalTransition, AssigneeTaken,
 *   LicenseKeyInUse
 */
export async function resumeLicense(ctx: RequestContext, input: ResumeLicenseInput): Promise<{ licenseId: string }> {
  return inSqlTransaction(ctx, (tx) => changeLicenseStatus(tx, input, 'resume'), windowTaken);
}
