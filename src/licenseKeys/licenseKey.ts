import { userError, type UserErrorData } from '../kernel/refusal.js';
import { randomText } from '../kernel/secret.js';
import { checkLength } from '../kernel/text.js';
import type { ConflictRefusals } from '../kernel/transaction.js';

/** Letters and digits that people do not mistake for each other: without 0, 1, I and O. Five bits each. */
const ALPHABET = '23456789ABCDEFGHJKLMNPQRSTUVWXYZ';
const GROUPS = 5;
const GROUP_LENGTH = 5;
const MAX_LENGTH = 512;
const SHOWN = 4;
/** As wide for every key, so that the mask does not tell how long the key is. */
const MASK = '********';

/** White space, dashes of every kind, and what is not seen at all, such as a soft hyphen or a zero-width space. */
const SEPARATORS = /[\p{White_Space}\p{Dash}\p{Default_Ignorable_Code_Point}]/gu;

/** The unique index that keeps a key one business's and mode's only one. */
export const KEY_INDEX = 'license_keys_business_id_mode_key_hmac_key';

/**
 * The form in which keys are compared: compatible characters of Unicode are one (NFKC), case does not count, spaces and dashes
 * are left out. Two spellings of one normalized key are one key.
 */
export function normalizeKey(key: string): string {
  // Lower case before upper case, so that ß, ẞ and SS meet.
  return key.normalize('NFKC').toLowerCase().toUpperCase().normalize('NFKC').replace(SEPARATORS, '');
}

/** A new key of the pattern `XXXXX-XXXXX-XXXXX-XXXXX-XXXXX`: 125 random bits. */
export function generateKey(): string {
  return Array.from({ length: GROUPS }, () => randomText(GROUP_LENGTH, ALPHABET)).join('-');
}

/** The last four characters of a key; fewer of a key of less than eight, never more than half of it. */
export function last4(key: string): string {
  const characters = [...key];
  const shown = Math.min(SHOWN, Math.floor(characters.length / 2));
  return characters.slice(characters.length - shown).join('');
}

/** A key as those see it who may not see it in full. */
export function maskedKey({ last4: shown }: { last4: string }): string {
  return MASK + shown;
}

/** Adds a problem when a key that somebody supplied cannot be one. White space at its ends does not count. */
export function checkKey(problems: UserErrorData[], path: readonly string[], key: string): void {
  if (normalizeKey(key) === '') {
    problems.push(userError('KeyBlank', path, 'Give a key with more to it than spaces and dashes.'));
  }
  checkLength(problems, path, key.trim() || null, 1, MAX_LENGTH);
}

/** What to answer when the business has the key already, in any spelling: a use case's third argument of `inTransaction`. */
export function licenseKeyTaken(path: readonly string[]): ConflictRefusals {
  const message = 'The business has this key already; case, spaces and dashes do not count. Give another one.';
  return { [KEY_INDEX]: () => userError('LicenseKeyTaken', path, message) };
}
