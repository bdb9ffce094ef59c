import type { License } from '../generated/prisma/client.js';
import { revokeGrantsOf } from '../grants/grantsOfLicense.js';
import type { SqlTx } from '../kernel/transaction.js';
import { goesOn } from '../lifecycle/grantEffects.js';
import { writeLicense } from './writeLicense.js';

/**
 * A step: records that a locked license's window has ended, at `tx.ctx.now`, and takes back what it granted until it is renewed.
 * One with a renewal has its end recorded and nothing taken back: the renewal goes on with the grants.
 * @returns the license as it then is
 */
export async function expireLicense(tx: SqlTx, license: License): Promise<License> {
  if (!goesOn(license)) await revokeGrantsOf(tx, license.id, 'LICENSE_EXPIRED', null);
  return writeLicense(
    tx,
    license,
    { ...license, expiredAt: license.validUntil },
    { type: 'license.expired', reason: null },
  );
}
