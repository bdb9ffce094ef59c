import type { DisableLicenseKeyInput } from '../generated/graphql.js';
import { uuidOf } from '../kernel/id.js';
import type { RequestContext } from '../kernel/requestContext.js';
import { inSqlTransaction } from '../kernel/transaction.js';
import { changeLicenseKey } from '../licenseKeys/changeLicenseKey.js';
import { checkedReason } from '../licenseKeys/licenseKey.js';
import { lockLicenseKey } from '../licenseKeys/lockLicenseKey.js';
import { refuseWordsAboutErased } from '../licenseKeys/refuseWords.js';
import { revokeGrants } from './changeGrants.js';
import { lockGrantsOfKey } from './grantsOfKey.js';

/**
 * Switches a key off by hand, and takes back what it delivered until it is enabled again. No license changes. Disabling what
 * is disabled changes nothing, not even the reason.
 * @throws Refusal InvalidInput, LicenseKeyNotFound, ModeMismatch, BrandMismatch, StaleObject, CustomerErased
 */
export async function disableLicenseKey(
  ctx: RequestContext,
  input: DisableLicenseKeyInput,
): Promise<{ licenseKeyId: string }> {
  const reason = checkedReason(input.reason);
  return inSqlTransaction(ctx, async (tx) => {
    const grants = await lockGrantsOfKey(tx, uuidOf('LicenseKey', input.licenseKeyId));
    const { licenseKey } = await lockLicenseKey(tx, input);
    if (licenseKey.status === 'ACTIVE') {
      await refuseWordsAboutErased(tx, licenseKey, { reason });
      const change = { status: 'DISABLED' as const, disabledAt: ctx.now, disabledReason: reason };
      await changeLicenseKey(tx, licenseKey, change, { type: 'license_key.disabled', reason });
      await revokeGrants(tx, grants, 'KEY_DISABLED', reason);
    }
    return { licenseKeyId: licenseKey.id };
  });
}
