import type { ActivateLicenseInput } from '../generated/graphql.js';
import type { RequestContext } from '../kernel/requestContext.js';
import { inSqlTransaction } from '../kernel/transaction.js';
import { changeLicenseStatus, checkedReason } from './changeLicenseStatus.js';
import { assigneeTakenAt, keyInUseAt } from './license.js';

/**
 * Makes a pending license active at once; its start becomes now, its end stays.
 * @throws Refusal InvalidInput, LicenseNotFound, ModeMismatch, BrandMismatch, StaleObject, IllegalTransition, AssigneeTaken,
 *   LicenseKeyInUse
 */
export async function activateLicense(
  ctx: RequestContext,
  input: ActivateLicenseInput,
): Promise<{ licenseId: string }> {
  const reason = checkedReason(input.reason);
  return inSqlTransaction(
    ctx,
    (tx) => changeLicenseStatus(tx, input, 'activate', reason),
    { ...assigneeTakenAt(['input', 'licenseId']), ...keyInUseAt(['input', 'licenseId']) },
  );
}
