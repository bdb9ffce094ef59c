import type { Activation, License } from '../generated/prisma/client.js';
import type { Mode } from '../kernel/viewer.js';

/** What a license file says, as its JWS carries it. Instants are ISO 8601; nothing in it is about the customer. */
export interface LicenseFileClaims {
  /** Id of the business. */
  readonly iss: string;
  /** Of this file; no two have the same. */
  readonly jti: string;
  /** Seconds since 1970, rounded down, for libraries that read JSON Web Tokens: `exp` is the end of the grace. */
  readonly iat: number;
  readonly nbf: number;
  readonly exp: number;
  readonly testMode: boolean;
  /** Host name of the brand that the key belongs to. */
  readonly brand: string;
  readonly licenseKey: { readonly id: string; readonly expiresAt: string | null };
  readonly license: {
    readonly status: string;
    readonly type: string;
    readonly validFrom: string;
    readonly validUntil: string | null;
    readonly isPermanent: boolean;
  } | null;
  readonly product: { readonly sku: string; readonly name: string } | null;
  /** SKUs of all products that the key is for; empty: any. */
  readonly productSkus: readonly string[];
  readonly entitlements: readonly { name: string; integrationType: string; status: string }[];
  /** The device: base64url of the SHA-256 of the key's id, a line feed and the fingerprint. */
  readonly device: { readonly fingerprintHash: string; readonly activationId: string | null };
  readonly issuedAt: string;
  readonly notBefore: string;
  readonly expiresAt: string;
  readonly graceUntil: string;
  /** What the revocation list calls this key and this device, and the list's version when the file was signed. */
  readonly revocation: { readonly entries: readonly string[]; readonly listVersion: string };
}

/** The `typ` of what is signed, so that neither passes for the other. */
export const fileType = 'latchkey-license+jwt';
export const listType = 'latchkey-revocations+jwt';

const HOUR = 3_600;
const DAY = 24 * HOUR;

/** Seconds that a file may be asked for. Who holds a key decides for itself, so the vendor alone may ask for more. */
export const ttlBounds = { least: HOUR, most: 31 * DAY, mostWithApiKey: 366 * DAY, usual: 30 * DAY };

const MAX_GRACE = 7 * DAY;

/**
 * How long a file is good. Its end and its grace never pass the end of the right; a file that ends with the right has no grace.
 * @param ttl seconds; @param rightEnds null: never
 */
export function fileTerms(now: Date, ttl: number, rightEnds: Date | null): { expiresAt: Date; graceUntil: Date } {
  const within = (seconds: number) => {
    const at = new Date(now.getTime() + seconds * 1_000);
    return rightEnds && rightEnds < at ? rightEnds : at;
  };
  return { expiresAt: within(ttl), graceUntil: within(ttl + Math.min(ttl, MAX_GRACE)) };
}

/**
 * When the right to use a key on a device ends as things stand; null: never.
 * @param keyEnds the earliest of the key's expiry, its licenses' end and a replaced text's grace
 * @param license as it is now; a scheduled pause or block ends the right, too
 */
export function endOfRight(
  keyEnds: Date | null,
  license: Pick<License, 'pendingStatus' | 'pendingStatusAt'> | null,
  activation: Pick<Activation, 'leaseUntil'> | null,
): Date | null {
  const { pendingStatus, pendingStatusAt } = license ?? {};
  const stops = pendingStatus === 'PAUSED' || pendingStatus === 'BLOCKED' || pendingStatus === 'CANCELLED';
  const ends = [keyEnds, stops ? pendingStatusAt : null, activation?.leaseUntil];
  return ends.reduce<Date | null>((first, end) => (end && (!first || end < first) ? end : first), null);
}

/** Until when something that is signed now must be readable: to the day, so that a key's row is written once a day at most. */
export function readableUntil(graceUntil: Date): Date {
  return new Date(graceUntil.getTime() + DAY * 1_000);
}

/** A public key as `/.well-known/jwks.json` shows it. */
export interface PublicJwk {
  readonly kty: 'OKP';
  readonly crv: 'Ed25519';
  readonly use: 'sig';
  readonly alg: 'EdDSA';
  readonly kid: string;
  readonly x: string;
  /** What it signs; a verifier refuses a file of the other mode, however well it is signed. */
  readonly mode: Lowercase<Mode>;
}
