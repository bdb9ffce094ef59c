import type { BlockLicenseInput } from '../generated/graphql.js';
import type { RequestContext } from '../kernel/requestContext.js';
import { inSqlTransaction } from '../kernel/transaction.js';
import { changeLicenseStatus } from './changeLicenseStatus.js';
import { windowTaken } from './license.js';

/**
 * Stops an active or paused license, and what it granted with it.
 * @throws Refusal InvalidInput, LicenseNotFound, ModeMismatch, BrandMismatch, StaleObject, IllegalTransition, AssigneeTaken,
 *   LicenseKeyInUse
 */
export async function blockLicense(ctx: RequestContext, input: BlockLicenseInput): Promise<{ licenseId: string }> {
  return inSqlTransaction(ctx, (tx) => changeLicenseStatus(tx, input, 'block'), windowTaken);
}
