import type { CancelPendingLicenseChangeInput } from '../generated/graphql.js';
import { refusal } from '../kernel/refusal.js';
import type { RequestContext } from '../kernel/requestContext.js';
import { inSqlTransaction } from '../kernel/transaction.js';
import { refuseIfStale } from '../kernel/version.js';
import { carryOutDueChanges } from './carryOutDueChanges.js';
import { checkedReason } from './checkedReason.js';
import { windowTaken } from './license.js';
import { lockLicense } from './lockLicense.js';
import { writeLicense } from './writeLicense.js';

/**
 * Drops what is scheduled for a license: a change of its status, and one of its offering. What has come true by now is no longer
 * scheduled; a pending license's own start never was. A license whose cancellation is dropped goes on after it, where nobody
 * else may have taken its assignee or a key of it.
 * @throws Refusal InvalidInput, LicenseNotFound, ModeMismatch, BrandMismatch, StaleObject, NothingPending, AssigneeTaken,
 *   LicenseKeyInUse
 */
export async function cancelPendingLicenseChange(
  ctx: RequestContext,
  input: CancelPendingLicenseChangeInput,
): Promise<{ licenseId: string }> {
  return inSqlTransaction(
    ctx,
    async (tx) => {
      const reason = checkedReason(tx, input);
      const stored = await lockLicense(tx, input.licenseId);
      refuseIfStale(stored, input.expectedVersion);
      const license = await carryOutDueChanges(tx, stored);
      if (license.pendingStatus === null && license.pendingOfferingId === null) {
        throw refusal('NothingPending', ['input', 'licenseId'], 'Nothing is scheduled for the license.');
      }
      const next = {
        ...license,
        pendingStatus: null,
        pendingStatusAt: null,
        pendingOfferingId: null,
        pendingOfferingAt: null,
      };
      await writeLicense(tx, license, next, { type: 'license.change_cancelled', reason });
      return { licenseId: license.id };
    },
    windowTaken,
  );
}
