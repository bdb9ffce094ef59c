import { base64url, compactVerify, decodeProtectedHeader, importJWK, type JWK } from 'jose';

/** What `/.well-known/jwks.json` answers: the keys that files and lists are verified with. */
export interface KeySet {
  readonly keys: readonly Readonly<Record<string, unknown>>[];
}

/** Why a signed text is not believed. */
export type SignatureProblem = 'TAMPERED' | 'UNKNOWN_KEY' | 'WRONG_ALGORITHM' | 'WRONG_TYPE';

/** A signed text that is what it says; or why it is not. */
export type Opened =
  | { readonly problem: SignatureProblem }
  | { readonly problem: null; readonly claims: Readonly<Record<string, unknown>>; readonly mode: unknown };

/**
 * Opens a compact JWS: EdDSA over Ed25519 alone, by a key of the set that the text names, and of the type that is expected. What
 * the text says about itself counts only after that; keys that it carries never do.
 */
export async function openSigned(text: string, { keys }: KeySet, typ: string): Promise<Opened> {
  const header = isCanonical(text) && headerOf(text);
  if (!header) return { problem: 'TAMPERED' };
  if (header['alg'] !== 'EdDSA') return { problem: 'WRONG_ALGORITHM' };
  if (header['typ'] !== typ) return { problem: 'WRONG_TYPE' };
  const jwk = keys.find((key) => key['kid'] === header['kid'] && key['kty'] === 'OKP' && key['crv'] === 'Ed25519');
  const key = jwk && (await imported(jwk));
  if (!key) return { problem: 'UNKNOWN_KEY' };
  try {
    const { payload } = await compactVerify(text, key, { algorithms: ['EdDSA'] });
    return { problem: null, claims: JSON.parse(new TextDecoder().decode(payload)) as never, mode: jwk['mode'] };
  } catch {
    return { problem: 'TAMPERED' };
  }
}

/** Three parts in the one spelling that base64url has for each: another one would be another text with the same signature. */
function isCanonical(text: string): boolean {
  const parts = text.split('.');
  try {
    return parts.length === 3 && parts.every((part) => base64url.encode(base64url.decode(part)) === part);
  } catch {
    return false;
  }
}

function headerOf(text: string): Readonly<Record<string, unknown>> | null {
  try {
    return decodeProtectedHeader(text);
  } catch {
    return null;
  }
}

/** The public half alone, whatever else the set says of the key. */
async function imported({ x }: Readonly<Record<string, unknown>>) {
  try {
    return await importJWK({ kty: 'OKP', crv: 'Ed25519', x } as JWK, 'EdDSA');
  } catch {
    return null;
  }
}
