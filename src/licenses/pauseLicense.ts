import type { PauseLicenseInput } from '../generated/graphql.js';
import type { RequestContext } from '../kernel/requestContext.js';
import { inSqlTransaction } from '../kernel/transaction.js';
import { changeLicenseStatus } from './changeLicenseStatus.js';
import { windowTaken } from './license.js';

/**
 * Stops an active license for a while, and what it granted with it. Its window runs on.
 * @throws Refusal InvalidInput, LicenseNotFound, ModeMismatch, BrandMismatch, StaleObject, IllegalTransition, AssigneeTaken,
 *   LicenseKeyInUse
 */
export async function pauseLicense(ctx: RequestContext, input: PauseLicenseInput): Promise<{ licenseId: string }> {
  return inSqlTransaction(ctx, (tx) => changeLicenseStatus(tx, input, 'pause'), windowTaken);
}
