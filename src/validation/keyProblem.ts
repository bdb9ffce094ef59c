import { normalizeKey } from '../licenseKeys/licenseKey.js';
import { isKnownImpossible } from './impossibleKeys.js';

const MAX_KEY = 512;

/** What is wrong with a key in itself, so that it need not be looked up; null: nothing that is known without the database. */
export function keyProblem(businessId: string, key: string): 'KEY_BLANK' | 'KEY_TOO_LONG' | 'KEY_MALFORMED' | null {
  if ([...key.trim()].length > MAX_KEY) return 'KEY_TOO_LONG';
  if (normalizeKey(key) === '') return 'KEY_BLANK';
  return isKnownImpossible(businessId, key) ? 'KEY_MALFORMED' : null;
}

/** Why there is no such key: it was mistyped, or there is none. Asked after a look-up, which has told the patterns. */
export function whyUnknown(businessId: string, key: string): 'KEY_MALFORMED' | 'KEY_NOT_FOUND' {
  return isKnownImpossible(businessId, key) ? 'KEY_MALFORMED' : 'KEY_NOT_FOUND';
}
