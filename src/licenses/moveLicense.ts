import type { License, LicenseStatus } from '../generated/prisma/client.js';
import { restoreGrantsOf, revokeGrantsForGoodOf, revokeGrantsOf } from '../grants/grantsOfLicense.js';
import type { SqlTx } from '../kernel/transaction.js';
import { after } from '../lifecycle/dueChanges.js';
import { licenseEvents, type LicenseEvent } from '../lifecycle/transitions.js';
import { takeOver, undoRenewal } from './takeOver.js';
import { writeLicense } from './writeLicense.js';

/**
 * A step: makes a legal change of status true of a locked license from `tx.ctx.now` on, with its effect on grants and keys, and on
 * the license that it renews. The grants are locked before the license's window is written: whoever fulfils one of them binds its
 * key to the license after locking it, and would wait crosswise.
 * @returns the license as it then is
 */
export async function moveLicense(
  tx: SqlTx,
  license: License,
  { event, to, reason }: { event: LicenseEvent; to: LicenseStatus; reason: string | null },
): Promise<License> {
  const { change, revokes, restores } = licenseEvents[event];
  if (event === 'activate') await takeOver(tx, license);
  if (event === 'cancel') {
    await revokeGrantsForGoodOf(tx, license.id, 'LICENSE_CANCELLED', reason);
    await undoRenewal(tx, license, reason);
  }
  if (revokes) await revokeGrantsOf(tx, license.id, revokes, reason);
  if (restores) await restoreGrantsOf(tx, license.id, restores, reason);
  return writeLicense(tx, license, after(license, to, tx.ctx.now), { type: change, reason });
}
