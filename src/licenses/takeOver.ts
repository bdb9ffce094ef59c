import { entitlementsOfOffering, entitlementsOfPackage } from '../entitlements/entitlementsOf.js';
import type { License } from '../generated/prisma/client.js';
import { grantEntitlements } from '../grants/grantEntitlements.js';
import { lockGrantsOf, revokeGrantsOf } from '../grants/grantsOfLicense.js';
import { moveGrants } from '../grants/moveGrants.js';
import type { SqlTx } from '../kernel/transaction.js';
import { activeKeysOf, bindKeys, licenseOnKeys } from '../licenseKeys/bindKeys.js';
import { findCustomerOf } from './changeOffering.js';
import { findPredecessor } from './findRenewal.js';
import { recordLicenseUpdate } from './recordLicenseUpdate.js';

/**
 * A step: a renewal starts, at `tx.ctx.now`: the grants of the license that it renews go over to it, and keys that came to that
 * license after it was renewed. What cannot go over has ended with the old license. Where that one was cancelled before its end,
 * nothing is left to go over, and the renewal, which stands for itself, grants anew. Does nothing for any other license.
 */
export async function takeOver(tx: SqlTx, license: License): Promise<void> {
  const renewed = await findPredecessor(tx, license.id);
  if (!renewed) return;
  if (renewed.status === 'CANCELLED') return grantAnew(tx, license);
  await moveGrants(tx, renewed.id, license.id);
  await revokeGrantsOf(tx, renewed.id, 'LICENSE_EXPIRED', null);
  const keyIds = await activeKeysOf(tx, renewed.id);
  const free: string[] = [];
  for (const keyId of keyIds) if (!(await licenseOnKeys(tx, [keyId], license))) free.push(keyId);
  await bindKeys(tx, license.id, free);
}

/** What is attached and the license has never had a grant of; no second key. */
async function grantAnew(tx: SqlTx, license: License): Promise<void> {
  const { id: licenseId, orderId, productOfferingId, packageId } = license;
  const given =
    productOfferingId === null
      ? await entitlementsOfPackage(tx, packageId as string)
      : await entitlementsOfOffering(tx, productOfferingId);
  const known = new Set((await lockGrantsOf(tx, licenseId)).map(({ entitlementId }) => entitlementId));
  const hasKey = (await activeKeysOf(tx, licenseId)).length > 0;
  const lacking = given.filter(
    ({ id, integrationType }) => !known.has(id) && !(hasKey && integrationType === 'LICENSE_KEY'),
  );
  const cause = { licenseId, orderId, paymentId: null, subscriptionId: null, metadata: {}, suppliedKey: null };
  grantEntitlements(tx, lacking, { customer: await findCustomerOf(tx, license), ...cause });
  await tx.flush();
}

/**
 * A step: a renewal is cancelled: the license that it renewed has none any more, and may be renewed again. Where that one has
 * ended already, what it still granted is taken back, as it would have been at its end. Does nothing for any other license.
 */
export async function undoRenewal(tx: SqlTx, license: License, reason: string | null): Promise<void> {
  const found = await findPredecessor(tx, license.id, 'LOCK');
  if (!found) return;
  if (found.expiredAt !== null) await revokeGrantsOf(tx, found.id, 'LICENSE_EXPIRED', reason);
  await recordLicenseUpdate(tx, 'license.renewal_cancelled', found, { renewalId: null }, reason);
}
