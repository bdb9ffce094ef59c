import type { RequestContext } from '../kernel/requestContext.js';
import { hmacOf, keyById } from '../kernel/secret.js';
import { normalizeKey } from '../licenseKeys/licenseKey.js';

/** What sets apart the idempotency keys of callers without a token: the license key that they hold, not in the clear. */
export function holderOf({ keyring }: RequestContext, { key }: { key?: string | null }): string {
  const { hmac } = keyring;
  return hmacOf(keyById(hmac, hmac.currentId), 'idempotency', normalizeKey(key ?? '')).toString('base64url');
}
