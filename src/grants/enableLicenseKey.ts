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

/**
 * What ended for good takes its key along, unless another license that is not cancelled uses it: `retireLicenseKey`'s rule. So
 * does the end of all licenses of a key that no grant delivered.
 */
async function refuseIfRevokedForGood(
  tx: SqlTx,
  { businessId, mode, id }: LicenseKey,
  grants: readonly Grant[],
): Promise<void> {
  const revoked = grants.find(isRevokedForGood);
  const [use] = (await tx.sql<{ isUsed: boolean; wasUsed: boolean }>(
    'use_of_key',
    `SELECT coalesce(bool_or(l.id IS DISTINCT FROM $4::uuid AND NOT ${isCancelled('$5', 'l')}), false) AS "isUsed",
        count(*) > 0 AS "wasUsed"
      FROM license_key_bindings b
      JOIN licenses l ON l.business_id = b.business_id AND l.mode = b.mode AND l.id = b.license_id
      WHERE b.business_id = $1 AND b.mode = $2 AND b.license_key_id = $3`,
    [businessId, mode, id, revoked?.licenseId ?? null, tx.ctx.now],
  )) as [{ isUsed: boolean; wasUsed: boolean }];
  if (use.isUsed || !(revoked ?? use.wasUsed)) return;
  const message = revoked
    ? 'The grant that delivered the key was revoked for good. Issue a new grant, or a new key for a license.'
    : 'Each license of the key was cancelled, which is final. Issue a new key for a license.';
  const reason = revoked?.revocationReason ?? 'LICENSE_CANCELLED';
  throw refusal('GrantRevoked', ['input', 'licenseKeyId'], message, { reason });
}
