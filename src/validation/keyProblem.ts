import { normalizeKey } from '../licenseKeys/licenseKey.js';

const MAX_KEY = 512;

/** What is wrong with a key in itself, so that it need not be looked up; null: nothing. */
export function keyProblem(key: string): 'KEY_BLANK' | 'KEY_TOO_LONG' | null {
  if ([...key.trim()].length > MAX_KEY) return 'KEY_TOO_LONG';
  return normalizeKey(key) === '' ? 'KEY_BLANK' : null;
}
