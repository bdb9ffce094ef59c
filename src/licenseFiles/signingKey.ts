import { createPrivateKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { CompactSign } from 'jose';
import type { Tenant } from '../kernel/requestContext.js';
import { globalId } from '../kernel/id.js';
import { decrypt, encrypt, type KeySet } from '../kernel/secret.js';

/** What of a signing key's row signs. */
export interface SealedSigningKey {
  readonly id: string;
  readonly publicKey: string;
  readonly keyCiphertext: Uint8Array;
}

/** What the private half is bound to: it decrypts in no other row. */
function boundTo({ businessId, mode }: Tenant, id: string): string[] {
  return [businessId, mode, id, 'signing key'];
}

/** A new Ed25519 key for a row: the public half in base64url, the private one encrypted. */
export function newSealedKey(set: KeySet, tenant: Tenant, id: string): SealedSigningKey {
  const { x, d } = generateKeyPairSync('ed25519').privateKey.export({ format: 'jwk' });
  if (!x || !d) throw new Error('an Ed25519 key without its halves');
  return { id, publicKey: x, keyCiphertext: encrypt(set, d, boundTo(tenant, id)) };
}

/** The private half under the current encryption key. */
export function resealed(set: KeySet, tenant: Tenant, { id, keyCiphertext }: SealedSigningKey): Buffer {
  return encrypt(set, decrypt(set, keyCiphertext, boundTo(tenant, id)), boundTo(tenant, id));
}

/**
 * Signs claims: a compact JWS, EdDSA, that names its key.
 * @param typ keeps files and lists apart
 */
export async function sign(
  set: KeySet,
  tenant: Tenant,
  key: SealedSigningKey,
  { typ, claims }: { typ: string; claims: object },
): Promise<string> {
  return new CompactSign(new TextEncoder().encode(JSON.stringify(claims)))
    .setProtectedHeader({ alg: 'EdDSA', kid: globalId('SigningKey', key.id), typ })
    .sign(privateKeyOf(set, tenant, key));
}

function privateKeyOf(set: KeySet, tenant: Tenant, { id, publicKey, keyCiphertext }: SealedSigningKey): KeyObject {
  const d = decrypt(set, keyCiphertext, boundTo(tenant, id));
  return createPrivateKey({ key: { kty: 'OKP', crv: 'Ed25519', x: publicKey, d }, format: 'jwk' });
}
