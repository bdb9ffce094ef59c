import { isImpossibleKey } from '../catalog/keyPattern.js';
import { normalizeKey } from '../licenseKeys/licenseKey.js';
import type { KeyHolder } from './keyHolder.js';

const MAX_KEY = 512;

/** What is wrong with a key in itself, so that it need not be looked up; null: nothing that is known without the database. */
export function keyProblem(
  { patterns }: KeyHolder,
  key: string,
): 'KEY_BLANK' | 'KEY_TOO_LONG' | 'KEY_MALFORMED' | null {
  if ([...key.trim()].length > MAX_KEY) return 'KEY_TOO_LONG';
  const text = normalizeKey(key);
  if (text === '') return 'KEY_BLANK';
  return isImpossibleKey(text, patterns) ? 'KEY_MALFORMED' : null;
}
