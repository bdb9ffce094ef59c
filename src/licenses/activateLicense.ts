import type { ActivateLicenseInput } from '../generated/graphql.js';
import type { RequestContext } from '../kernel/requestContext.js';
import { inSqlTransaction } from '../kernel/transaction.js';
import { changeLicenseStatus } from './changeLicenseStatus.js';
import { windowTaken } from './license.js';

/**
 * Makes a pending license active at once; its start becomes now, its end stays.
 * @throws Refusal InvalidInput, LicenseNotFound, ModeMismatch, BrandMismatch, StaleObject, IllegalTransition, AssigneeTaken,
 *   LicenseKeyInUse
 */
export async function activateLicense(
  ctx: RequestContext,
  input: ActivateLicenseInput,
): Promise<{ licenseId: string }> {
  return inSqlTransaction(ctx, (tx) => changeLicenseStatus(tx, input, 'activate'), windowTaken);
}
