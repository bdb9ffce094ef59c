import type { Grant, LicenseKeyBinding } from '../generated/prisma/client.js';
import { tenantOf } from '../kernel/requestContext.js';
import { columnsOf } from '../kernel/rows.js';
import type { SqlTx } from '../kernel/transaction.js';
import type { RestorableCause } from '../lifecycle/transitions.js';
import { retireLicenseKey } from '../licenseKeys/retireLicenseKey.js';
import { restoreGrants, revokeGrants, revokeGrantsForGood, type FinalCause } from './changeGrants.js';

const ofLicense = 'business_id = $1 AND mode = $2 AND license_id = $3';

/** A step, one statement: a license's grants, those that were taken back too, locked until the transaction ends. */
export async function lockGrantsOf(tx: SqlTx, licenseId: string): Promise<Grant[]> {
  const { businessId, mode } = tenantOf(tx.ctx);
  return tx.sql<Grant>(
    'lock_grants_of_license',
    `SELECT ${columnsOf('Grant')} FROM grants WHERE ${ofLicense} ORDER BY id FOR NO KEY UPDATE`,
    [businessId, mode, licenseId],
  );
}

/**
 * A step: takes back a license's grants until the cause ends, as `revokeGrants` says. Keys keep their own status: the license
 * says that they do not work.
 */
export async function revokeGrantsOf(
  tx: SqlTx,
  licenseId: string,
  cause: RestorableCause,
  reason: string | null,
): Promise<void> {
  await revokeGrants(tx, await lockGrantsOf(tx, licenseId), cause, reason);
}

/** A step: ends a cause for a license's grants, as `restoreGrants` says. */
export async function restoreGrantsOf(
  tx: SqlTx,
  licenseId: string,
  cause: RestorableCause,
  reason: string | null,
): Promise<void> {
  await restoreGrants(tx, await lockGrantsOf(tx, licenseId), cause, reason);
}

/**
 * A step: takes back a license's grants for good, as `revokeGrantsForGood` says, and disables the license's keys unless another
 * license that is not cancelled uses them.
 */
export async function revokeGrantsForGoodOf(
  tx: SqlTx,
  licenseId: string,
  cause: FinalCause,
  reason: string | null,
): Promise<void> {
  await revokeGrantsForGood(tx, await lockGrantsOf(tx, licenseId), cause, reason);
  const { businessId, mode } = tenantOf(tx.ctx);
  const keys = await tx.sql<Pick<LicenseKeyBinding, 'licenseKeyId'>>(
    'keys_of_license',
    `SELECT license_key_id AS "licenseKeyId" FROM license_key_bindings WHERE ${ofLicense} ORDER BY license_key_id`,
    [businessId, mode, licenseId],
  );
  for (const { licenseKeyId } of keys) await retireLicenseKey(tx, { licenseKeyId, licenseId, reason });
}
