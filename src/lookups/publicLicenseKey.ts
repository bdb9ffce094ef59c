import type { LicenseKeyCheckCode, PublicLicenseKey } from '../generated/graphql.js';
import type { RequestContext } from '../kernel/requestContext.js';
import { validateLicenseKey } from '../validation/validateLicenseKeys.js';

/** What a check says of a key that is nobody's here. */
const unknown: ReadonlySet<LicenseKeyCheckCode> = new Set<LicenseKeyCheckCode>([
  'KEY_BLANK',
  'KEY_TOO_LONG',
  'KEY_MALFORMED',
  'KEY_NOT_FOUND',
  'KEY_NOT_ISSUED',
  'KEY_OF_TEST_MODE',
  'KEY_OF_LIVE_MODE',
  'BRAND_MISMATCH',
]);

/**
 * What anybody may know of a license key: source 001's `Licenses/GetPublic`. It is the full check with less told of it, so that
 * the two never disagree and guessing costs the same. A key that never had a license passes the check; here a license must be
 * active ("the key is usable and a license on it isActive").
 * @throws ClientError BAD_USER_INPUT for `testMode` that differs from the token's; BRAND_NOT_FOUND; RATE_LIMITED
 */
export async function publicLicenseKey(
  ctx: RequestContext,
  { key, testMode }: { key: string; testMode?: boolean | null },
): Promise<PublicLicenseKey> {
  const { valid, checks, license, product } = await validateLicenseKey(ctx, { key, testMode });
  return {
    exists: !checks.some(({ code }) => unknown.has(code)),
    key,
    isValid: valid && license?.isActive === true,
    productSku: product?.sku ?? null,
    latestPublicVersionName: product?.latestPublicVersionName ?? null,
  };
}
