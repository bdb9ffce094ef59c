import type { CancelPendingLicenseChangeInput } from '../generated/graphql.js';
import type { License } from '../generated/prisma/client.js';
import { refusal } from '../kernel/refusal.js';
import type { RequestContext } from '../kernel/requestContext.js';
import { inSqlTransaction, type SqlTx } from '../kernel/transaction.js';
import { refuseIfStale } from '../kernel/version.js';
import { carryOutDueChanges } from './carryOutDueChanges.js';
import { checkedReason } from './checkedReason.js';
import { findRenewal } from './findRenewal.js';
import { windowTaken } from './license.js';
import { lockLicense } from './lockLicense.js';
import { alreadyRenewed } from './renewal.js';
import { writeLicense } from './writeLicense.js';

/**
 * Drops what is scheduled for a license: a change of its status, and one of its offering. What has come true by now is no longer
 * scheduled; a pending license's own start never was. A license whose cancellation is dropped goes on after it, where nobody
 * else may have taken its assignee or a key of it.
 * @throws Refusal InvalidInput, LicenseNotFound, ModeMismatch, BrandMismatch, StaleObject, NothingPending,
 *   LicenseAlreadyRenewed, AssigneeTaken, LicenseKeyInUse
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
      await refuseIfRenewedAsOther(tx, license);
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

/** A renewal was made, and perhaps paid, for the offering that the license changes to: it takes over what that one gives. */
async function refuseIfRenewedAsOther(tx: SqlTx, license: License): Promise<void> {
  const renewal = license.pendingOfferingId === null ? null : await findRenewal(tx, license);
  if (renewal) throw alreadyRenewed(renewal.id, 'It is for the offering that is to come: cancel it first.');
}
