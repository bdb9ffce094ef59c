import type { EnableLicenseKeyInput } from '../generated/graphql.js';
import type { Grant, LicenseKey } from '../generated/prisma/client.js';
import { uuidOf } from '../kernel/id.js';
import { refusal } from '../kernel/refusal.js';
import type { RequestContext } from '../kernel/requestContext.js';
import { inSqlTransaction, type SqlTx } from '../kernel/transaction.js';
import { isCancelled } from '../lifecycle/effective.js';
import { changeLicenseKey } from '../licenseKeys/changeLicenseKey.js';
import { checkedReason } from '../licenseKeys/licenseKey.js';
import { lockLicenseKey } from '../licenseKeys/lockLicenseKey.js';
import { refuseWordsAboutErased } from '../licenseKeys/refuseWords.js';
import { requeueWithdrawnOfKey } from '../mail/requeueWithdrawn.js';
import { isRevokedForGood, restoreGrants } from './changeGrants.js';
import { lockGrantsOfKey } from './grantsOfKey.js';

/**
 * Switches a key on again, and ends what its being off caused: its grant comes back unless something else holds it, and mails
 * that were withdrawn go out. Enabling what is not disabled changes nothing.
 * @throws Refusal InvalidInput, LicenseKeyNotFound, ModeMismatch, BrandMismatch, StaleObject, CustomerErased,
 *   GrantRevoked
 */
export async function enableLicenseKey(
  ctx: RequestContext,
  input: EnableLicenseKeyInput,
): Promise<{ licenseKeyId: string }> {
  const reason = checkedReason(input.reason);
  return inSqlTransaction(ctx, async (tx) => {
    const grants = await lockGrantsOfKey(tx, uuidOf('LicenseKey', input.licenseKeyId));
    const { licenseKey } = await lockLicenseKey(tx, input);
    if (licenseKey.status === 'DISABLED') {
      await refuseWordsAboutErased(tx, licenseKey, { reason });
      await refuseIfRevokedForGood(tx, licenseKey, grants);
      const change = { status: 'ACTIVE' as const, disabledAt: null, disabledReason: null };
      await changeLicenseKey(tx, licenseKey, change, { type: 'license_key.enabled', reason });
      await restoreGrants(tx, grants, 'KEY_DISABLED', reason);
      await requeueWithdrawnOfKey(tx, licenseKey.id);
    }
    return { licenseKeyId: licenseKey.id };
  });
}

/** What ended for good takes its key along, unless another license that is not cancelled uses it: `retireLicenseKey`'s rule. */
async function refuseIfRevokedForGood(tx: SqlTx, { id }: LicenseKey, grants: readonly Grant[]): Promise<void> {
  const revoked = grants.find(isRevokedForGood);
  if (!revoked?.revocationReason) return;
  const others = await tx.sql(
    'other_licenses_of_key',
    `SELECT 1 AS one FROM license_key_bindings b
      JOIN licenses l ON l.business_id = b.business_id AND l.mode = b.mode AND l.id = b.license_id
      WHERE b.business_id = $1 AND b.mode = $2 AND b.license_key_id = $3 AND l.id IS DISTINCT FROM $4::uuid
        AND NOT ${isCancelled('$5', 'l')}
      LIMIT 1`,
    [revoked.businessId, revoked.mode, id, revoked.licenseId, tx.ctx.now],
  );
  if (others.length > 0) return;
  const message =
    'The grant that delivered the key was revoked for good. Issue a new grant, or a new key for a license.';
  throw refusal('GrantRevoked', ['input', 'licenseKeyId'], message, { reason: revoked.revocationReason });
}
