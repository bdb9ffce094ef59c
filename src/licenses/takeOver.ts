import type { License } from '../generated/prisma/client.js';
import { revokeGrantsOf } from '../grants/grantsOfLicense.js';
import { moveGrants } from '../grants/moveGrants.js';
import type { SqlTx } from '../kernel/transaction.js';
import { activeKeysOf, bindKeys, licenseOnKeys } from '../licenseKeys/bindKeys.js';
import { findPredecessor } from './findRenewal.js';
import { recordLicenseUpdate } from './recordLicenseUpdate.js';

/**
 * A step: a renewal starts, at `tx.ctx.now`: the grants of the license that it renews go over to it, and keys that came to that
 * license after it was renewed. What cannot go over has ended with the old license. Does nothing for any other license.
 */
export async function takeOver(tx: SqlTx, license: Pick<License, 'id' | 'validFrom' | 'validUntil'>): Promise<void> {
  const renewed = await findPredecessor(tx, license.id);
  if (!renewed) return;
  await moveGrants(tx, renewed.id, license.id);
  await revokeGrantsOf(tx, renewed.id, 'LICENSE_EXPIRED', null);
  const keyIds = await activeKeysOf(tx, renewed.id);
  const free: string[] = [];
  for (const keyId of keyIds) if (!(await licenseOnKeys(tx, [keyId], license))) free.push(keyId);
  await bindKeys(tx, license.id, free);
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
