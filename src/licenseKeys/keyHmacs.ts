import type { Tenant } from '../kernel/requestContext.js';
import { hmacOf, keyById, type Keyring } from '../kernel/secret.js';
import { normalizeKey } from './licenseKey.js';

/** Look-up value of a key, with the id of the secret that it was made with. */
export interface KeyHmac {
  readonly hmacKeyId: string;
  readonly keyHmac: Buffer;
}

/** The look-up value that a new key is stored under: made with the current secret. */
export function currentKeyHmac(keyring: Keyring, tenant: Tenant, key: string): KeyHmac {
  return keyHmacWith(keyring, keyring.hmac.currentId, tenant, key);
}

/** Every look-up value that a key may be stored under, the current one first: while secrets are rotated there are several. */
export function keyHmacs(keyring: Keyring, tenant: Tenant, key: string): KeyHmac[] {
  const { currentId, keys } = keyring.hmac;
  const ids = [currentId, ...[...keys.keys()].filter((id) => id !== currentId)];
  return ids.map((id) => keyHmacWith(keyring, id, tenant, key));
}

function keyHmacWith(keyring: Keyring, hmacKeyId: string, { businessId, mode }: Tenant, key: string): KeyHmac {
  const keyHmac = hmacOf(keyById(keyring.hmac, hmacKeyId), businessId, mode, normalizeKey(key));
  return { hmacKeyId, keyHmac };
}
