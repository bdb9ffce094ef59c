import type { Tenant } from '../kernel/requestContext.js';
import { hmacOf, keyById, type Keyring } from '../kernel/secret.js';
import type { Mode } from '../kernel/viewer.js';
import { normalizeKey } from './licenseKey.js';

/** Look-up value of a key, with the id of the secret that it was made with. */
export interface KeyHmac {
  readonly hmacKeyId: string;
  readonly keyHmac: Buffer;
}

/** The look-up value that a new key is stored under: made with the current secret. */
export function currentKeyHmac(keyring: Keyring, tenant: Tenant, key: string): KeyHmac {
  const { businessId, mode } = tenant;
  const hmacKeyId = keyring.hmac.currentId;
  return { hmacKeyId, keyHmac: hmacOf(keyById(keyring.hmac, hmacKeyId), businessId, mode, normalizeKey(key)) };
}

/** Every look-up value that a key may be stored under, the current one first: while secrets are rotated there are several. */
export function keyHmacs(keyring: Keyring, { businessId, mode }: Tenant, key: string): KeyHmac[] {
  return keyHmacsIn(keyring, businessId, [mode], key);
}

/** The same for several modes of a business, mode by mode. */
export function keyHmacsIn<M extends Mode>(
  keyring: Keyring,
  businessId: string,
  modes: readonly M[],
  key: string,
): (KeyHmac & { readonly mode: M })[] {
  const { currentId, keys } = keyring.hmac;
  const ids = keys.size === 1 ? [currentId] : [currentId, ...[...keys.keys()].filter((id) => id !== currentId)];
  const normalized = normalizeKey(key);
  return modes.flatMap((mode) =>
    ids.map((hmacKeyId) => {
      const keyHmac = hmacOf(keyById(keyring.hmac, hmacKeyId), businessId, mode, normalized);
      return { hmacKeyId, keyHmac, mode };
    }),
  );
}

/** What a text belongs to: a key, or a place in a pool; a drawn one belongs to both, which have one id. */
export interface TextOwner {
  readonly licenseKeyId: string | null;
  readonly poolKeyId: string | null;
}

/** A row of `license_key_lookups`. */
export interface LookupRow extends Tenant, KeyHmac, TextOwner {
  readonly rotationId: string | null;
}

/**
 * The rows by which a text is found, one for each secret, so that processes which know only one of them find it and collide
 * with it. In the order of their values: whoever writes the same text at the same time waits, not crosswise.
 */
export function lookupRows(keyring: Keyring, tenant: Tenant, key: string, owner: TextOwner): LookupRow[] {
  const { businessId, mode } = tenant;
  return keyHmacs(keyring, tenant, key)
    .map((hmac) => ({ businessId, mode, ...hmac, ...owner, rotationId: null }))
    .sort((a, b) => Buffer.compare(a.keyHmac, b.keyHmac));
}
