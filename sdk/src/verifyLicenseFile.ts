import { readRevocationList } from './revocationList.js';
import { openSigned, type KeySet, type SignatureProblem } from './signedText.js';

/** What a license file says. Instants are ISO 8601. */
export interface LicenseFileClaims {
  /** Id of the business. */
  readonly iss: string;
  /** The file's own id. */
  readonly jti: string;
  readonly testMode: boolean;
  /** Host name of the brand that the key belongs to. */
  readonly brand: string;
  readonly licenseKey: { readonly id: string; readonly expiresAt: string | null };
  /** Null: the key has none, and is valid by itself. */
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
  readonly device: { readonly fingerprintHash: string; readonly activationId: string | null };
  readonly issuedAt: string;
  readonly notBefore: string;
  readonly expiresAt: string;
  readonly graceUntil: string;
  readonly revocation: { readonly entries: readonly string[]; readonly listVersion: string };
}

/** What is wrong with a license file; `IN_GRACE` alone lets the program run on. */
export type LicenseFileReason = SignatureProblem | Refused | 'IN_GRACE';
type Refused =
  | 'WRONG_ISSUER'
  | 'WRONG_MODE'
  | 'WRONG_BRAND'
  | 'WRONG_PRODUCT'
  | 'WRONG_DEVICE'
  | 'REVOCATION_LIST_INVALID'
  | 'REVOCATION_LIST_OUTDATED'
  | 'REVOKED'
  | 'CLOCK_SET_BACK'
  | 'NOT_YET_VALID'
  | 'EXPIRED';

/** A file, and what it has to be. */
export interface VerifyLicenseFileOptions {
  /** As `checkOutLicenseFile` gave it. */
  readonly file: string;
  /** As `/.well-known/jwks.json` gave it, best as it was when the program was built. */
  readonly jwks: KeySet;
  /** The device that the program runs on. */
  readonly fingerprint: string;
  /** Host name of the brand whose program it is, or several; absent: not checked. */
  readonly brandUrl?: string | readonly string[];
  /** SKU of the product that the program is; absent: not checked. */
  readonly productSku?: string;
  /** Id of the business; absent: whoever has the keys. */
  readonly issuer?: string;
  /** Whether files of test data are accepted, and no others. */
  readonly testMode?: boolean;
  /** As `revokedLicenseKeys` gave it: one page, or all pages in order; absent: not checked. */
  readonly revocationList?: string | readonly string[] | null;
  /** How many seconds old the list may be; absent: any age. */
  readonly revocationListMaxAge?: number;
  /** `lastSeen` of the check before this one. */
  readonly lastSeen?: string | null;
  /** Milliseconds since 1970; default: the device's clock. */
  readonly now?: number;
}

/** What came of a check. */
export interface LicenseFileCheck {
  /** Whether the program may run. */
  readonly usable: boolean;
  /** Null: the file is good. */
  readonly reason: LicenseFileReason | null;
  /** What the reason means, in English. */
  readonly message: string;
  /** What the file says; null when its signature is not good. */
  readonly license: LicenseFileClaims | null;
  /** The latest instant that is known to have passed: keep it, and give it to the next check. */
  readonly lastSeen: string | null;
}

const fileType = 'latchkey-license+jwt';
/** Clocks are set back a little now and then; by more, they are not believed. */
const TOLERANCE_MS = 300_000;

/** Checks a license file without a network: by nothing but what is given. Never throws for what is wrong with a file. */
export async function verifyLicenseFile(options: VerifyLicenseFileOptions): Promise<LicenseFileCheck> {
  const opened = await openSigned(options.file.trim(), options.jwks, fileType);
  if (opened.problem) return told(opened.problem, null, options.lastSeen ?? null);
  if (!isLicense(opened.claims)) return told('WRONG_TYPE', null, options.lastSeen ?? null);
  const license: LicenseFileClaims = opened.claims;
  const mode = license.testMode ? 'test' : 'live';
  if (opened.mode !== mode) return told('WRONG_MODE', license, options.lastSeen ?? null);
  const now = options.now ?? Date.now();
  const elsewhere = await whyElsewhere(license, options);
  if (elsewhere) return told(elsewhere, license, options.lastSeen ?? null);
  const { problem, listIssuedAt } = await whyRevoked(license, options, now);
  const seen = latest(options.lastSeen, license.issuedAt, listIssuedAt);
  return told(problem ?? whyNotNow(license, seen, now), license, isoOf(Math.max(seen, now)), isoOf(seen));
}

/** Whether what was signed has what is checked here: a later version of the server may sign something else. */
function isLicense(claims: unknown): claims is LicenseFileClaims {
  const { licenseKey, device, productSkus, revocation } = (claims ?? {}) as Partial<LicenseFileClaims>;
  return (
    typeof licenseKey?.id === 'string' &&
    typeof device?.fingerprintHash === 'string' &&
    Array.isArray(productSkus) &&
    Array.isArray(revocation?.entries) &&
    /^\d+$/.test(revocation.listVersion)
  );
}

/** What the file is for that the program is not. */
async function whyElsewhere(
  { iss, testMode, brand, productSkus, device, licenseKey }: LicenseFileClaims,
  options: VerifyLicenseFileOptions,
): Promise<Refused | null> {
  const { issuer, brandUrl, productSku, fingerprint } = options;
  if (issuer !== undefined && iss !== issuer) return 'WRONG_ISSUER';
  if (testMode !== (options.testMode ?? false)) return 'WRONG_MODE';
  if (brandUrl !== undefined && ![brandUrl].flat().some((url) => hostOf(url) === brand)) return 'WRONG_BRAND';
  if (productSku !== undefined && productSkus.length > 0 && !productSkus.includes(productSku)) return 'WRONG_PRODUCT';
  return (await hashOf(`${licenseKey.id}\n${fingerprint}`)) === device.fingerprintHash ? null : 'WRONG_DEVICE';
}

async function whyRevoked(
  { iss, testMode, revocation }: LicenseFileClaims,
  { revocationList, revocationListMaxAge = Infinity, jwks }: VerifyLicenseFileOptions,
  now: number,
): Promise<{ problem: Refused | null; listIssuedAt: number | null }> {
  if (revocationList == null) return { problem: null, listIssuedAt: null };
  const list = await readRevocationList([revocationList].flat(), jwks, { iss, testMode });
  if (!list) return { problem: 'REVOCATION_LIST_INVALID', listIssuedAt: null };
  const listIssuedAt = list.issuedAt;
  // An older list says nothing about this file: its key may have been restored since.
  const isOlder = list.version < BigInt(revocation.listVersion);
  if (isOlder) return { problem: 'REVOCATION_LIST_OUTDATED', listIssuedAt };
  if (revocation.entries.some((entry) => list.entries.has(entry))) return { problem: 'REVOKED', listIssuedAt };
  const isOld = now > listIssuedAt + revocationListMaxAge * 1_000;
  return { problem: isOld ? 'REVOCATION_LIST_OUTDATED' : null, listIssuedAt };
}

/** @param seen the latest instant that is known to have passed */
function whyNotNow(
  { notBefore, expiresAt, graceUntil }: LicenseFileClaims,
  seen: number,
  now: number,
): Refused | 'IN_GRACE' | null {
  if (now < seen - TOLERANCE_MS) return 'CLOCK_SET_BACK';
  if (now < Date.parse(notBefore) - TOLERANCE_MS) return 'NOT_YET_VALID';
  // By the server's clock where the device's is a little behind it: the list forgets a file whose grace is over.
  const at = Math.max(seen, now);
  // Written so that a date which is none is not good.
  if (at < Date.parse(expiresAt)) return null;
  return at < Date.parse(graceUntil) ? 'IN_GRACE' : 'EXPIRED';
}

const messages: Readonly<Record<LicenseFileReason, string>> = {
  TAMPERED: 'The license file is damaged or was changed.',
  WRONG_ALGORITHM: 'The license file is not signed with EdDSA.',
  WRONG_TYPE: 'This is no license file.',
  UNKNOWN_KEY: 'The license file is signed with a key that this program does not know. Load the keys anew.',
  WRONG_ISSUER: 'The license file is of another vendor.',
  WRONG_MODE: 'The license file is for test data where live data is used, or the other way round.',
  WRONG_BRAND: 'The license file is for a program of another brand.',
  WRONG_PRODUCT: 'The license file is for another product.',
  WRONG_DEVICE: 'The license file is for another device.',
  REVOCATION_LIST_INVALID: 'The revocation list is damaged, not complete, or of another vendor. Load it anew.',
  REVOCATION_LIST_OUTDATED: 'The revocation list is older than the license file, or too old. Load it anew.',
  REVOKED: 'The license was withdrawn.',
  CLOCK_SET_BACK: "The device's clock was set back. Set it right.",
  NOT_YET_VALID: 'The license file is not valid yet.',
  EXPIRED: 'The license file has expired. Check out a new one.',
  IN_GRACE: 'The license file has expired and works only for a while longer. Check out a new one.',
};

/** @param lastSeen what to remember; @param before the same without the device's clock, where that is not believed */
function told(
  reason: LicenseFileReason | null,
  license: LicenseFileClaims | null,
  lastSeen: string | null,
  before = lastSeen,
): LicenseFileCheck {
  const usable = reason === null || reason === 'IN_GRACE';
  const message = reason === null ? 'The license file is good.' : messages[reason];
  return { usable, reason, message, license, lastSeen: reason === 'CLOCK_SET_BACK' ? before : lastSeen };
}

function latest(...instants: (string | number | null | undefined)[]): number {
  const known = instants.map((at) => (typeof at === 'string' ? Date.parse(at) : at));
  return Math.max(...known.filter((at): at is number => typeof at === 'number' && Number.isFinite(at)));
}

function isoOf(at: number): string | null {
  return Number.isFinite(at) ? new Date(at).toISOString() : null;
}

/** The host name of a brand, as `Brand-URL` may give it. */
function hostOf(url: string): string {
  const host = url.trim().toLowerCase();
  return host.replace(/^https?:\/\//, '').replace(/\/.*$/, '');
}

async function hashOf(text: string): Promise<string> {
  const hash = new Uint8Array(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(text)));
  return btoa(String.fromCharCode(...hash))
    .replace(/\+/g, '-')
    .replace(/\//g, '_')
    .replace(/=+$/, '');
}
