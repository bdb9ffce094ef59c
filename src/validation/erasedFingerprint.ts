import { createHash } from 'node:crypto';

/** How the fingerprints begin that stand in the place of an erased person's; no device's own may. */
export const ERASED = 'erased:';

/**
 * What is kept of the fingerprint of an erased person's device that has its seat: a hash by which the program on it is known
 * again. Salted with the key's id, so that a device does not tell which keys it has.
 */
export function erasedFingerprint(licenseKeyId: string, fingerprint: string): string {
  return ERASED + createHash('sha256').update(`${licenseKeyId}:${fingerprint}`).digest('hex');
}

/** The same as SQL over a key's id and a fingerprint. */
export function erasedFingerprintSql(licenseKeyId: string, fingerprint: string): string {
  return `'${ERASED}' || encode(sha256(convert_to(${licenseKeyId}::text || ':' || ${fingerprint}, 'UTF8')), 'hex')`;
}
