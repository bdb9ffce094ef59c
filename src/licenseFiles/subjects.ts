import { erasedFingerprint, erasedFingerprintSql, ERASED } from '../validation/erasedFingerprint.js';

/*
 * What the revocation list can name, besides keys and activations, by ids that are made and not drawn, so that they need no rows:
 * a device that uses a key without an activation, and a text of a key, which another may take the place of. Ids that are drawn
 * begin with a date, and with neither `d` nor `e` for some thousand years.
 */

/** The first characters of hashes of devices, after which erased persons' fingerprints are called, too: `d` and 31 of them. */
const HASHED = 31;

/** A device that is not activated. */
export function deviceSubject(licenseKeyId: string, fingerprint: string): string {
  return uuidOfHex('d' + erasedFingerprint(licenseKeyId, fingerprint).slice(ERASED.length, ERASED.length + HASHED));
}

function uuidOfHex(hex: string): string {
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}

/** The same as SQL, for an activation `a` of a key `k`, whether or not its person was erased. */
export const deviceSubjectSql = `('d' || substr(CASE WHEN starts_with(a.fingerprint, '${ERASED}') THEN a.fingerprint
  ELSE ${erasedFingerprintSql('k.id', 'a.fingerprint')} END, ${ERASED.length + 1}, ${HASHED}))::uuid`;

/** A key's text as SQL, by how many texts the key had before it. */
export function textSubjectSql(licenseKeyId: string, textsBefore: string): string {
  return `('e' || substr(encode(sha256(convert_to(${licenseKeyId}::text || ':' || ${textsBefore}, 'UTF8')), 'hex'), 1, 31))::uuid`;
}

/** Whether a subject is such a device or such a text, as SQL. */
export const isDevice = (subject: string) => `${subject}::text LIKE 'd%'`;
export const isText = (subject: string) => `${subject}::text LIKE 'e%'`;
