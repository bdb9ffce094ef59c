import { refuseIfAny, userError, type UserErrorData } from '../kernel/refusal.js';
import { checkLength, presentText } from '../kernel/text.js';
import type { ConflictRefusals } from '../kernel/transaction.js';

const MAX_LENGTH = 512;
const SHOWN = 4;
/** As wide for every key, so that the mask does not tell how long the key is. */
const MASK = '********';

/** White space, dashes of every kind, and what is not seen at all, such as a soft hyphen or a zero-width space. */
const SEPARATORS = /[\p{White_Space}\p{Dash}\p{Default_Ignorable_Code_Point}]/gu;

/** The primary key that keeps a text, whatever it is used for, one business's and mode's only one. */
export const KEY_INDEX = 'license_key_lookups_pkey';
const TAKEN = 'The business has this key already; case, spaces and dashes do not count. Give another one.';

/**
 * The form in which keys are compared: compatible characters of Unicode are one (NFKC), case does not count, spaces and dashes
 * are left out. Two spellings of one normalized key are one key.
 */
export function normalizeKey(key: string): string {
  // Lower case before upper case, so that ß, ẞ and SS meet.
  return key.normalize('NFKC').toLowerCase().toUpperCase().normalize('NFKC').replace(SEPARATORS, '');
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
export function checkKey(problems: UserErrorData[], path: readonly (string | number)[], key: string): void {
  if (normalizeKey(key) === '') {
    problems.push(userError('KeyBlank', path, 'Give a key with more to it than spaces and dashes.'));
  }
  checkLength(problems, path, key.trim() || null, 1, MAX_LENGTH);
}

/** What to answer when the business has the key already, in any spelling: a use case's third argument of `inTransaction`. */
export function licenseKeyTaken(path: readonly string[]): ConflictRefusals {
  return { [KEY_INDEX]: () => keyTaken(path) };
}

/** The same, where it was found out beforehand. */
export function keyTaken(path: readonly (string | number)[]): UserErrorData {
  return userError('LicenseKeyTaken', path, TAKEN);
}

/** What to answer when a key that somebody supplies begins with a prefix that is reserved for generated ones. */
export function reservedKeyPrefix(path: readonly (string | number)[], prefix: string): UserErrorData {
  const message = `Keys that begin with ${prefix} are generated here. Give one that begins with something else.`;
  return userError('ReservedKeyPrefix', path, message, { prefix });
}

/** Adds problems when limits that somebody gave for a key cannot be: InvalidActivationsLimit, InvalidExpiry. */
export function checkKeyLimits(
  problems: UserErrorData[],
  path: readonly (string | number)[],
  { activationsLimit, expiresAt }: { activationsLimit?: number | null; expiresAt?: Date | null },
  now: Date,
): void {
  if (activationsLimit != null && activationsLimit < 1) {
    const message = `Give 1 or more, or leave it out; it is ${activationsLimit}.`;
    problems.push(userError('InvalidActivationsLimit', [...path, 'activationsLimit'], message));
  }
  if (expiresAt && expiresAt <= now) {
    problems.push(
      userError('InvalidExpiry', [...path, 'expiresAt'], 'Give an instant in the future, or leave it out.'),
    );
  }
}

/** Adds problems when a rotation cannot be so: a grace that is over, a reason that is too long. */
export function checkRotation(
  problems: UserErrorData[],
  { graceUntil, reason }: { graceUntil?: Date | null; reason?: string | null },
  now: Date,
): void {
  if (graceUntil && graceUntil <= now) {
    const message = 'Give an instant in the future, or leave it out to end the present text at once.';
    problems.push(userError('InvalidExpiry', ['input', 'graceUntil'], message));
  }
  checkLength(problems, ['input', 'reason'], presentText(reason), 1, 2000);
}

/** The reason that a caller gave for the history, trimmed; null: none. Refuses with InvalidInput. */
export function checkedReason(given: string | null | undefined): string | null {
  const reason = presentText(given);
  const problems: UserErrorData[] = [];
  checkLength(problems, ['input', 'reason'], reason, 1, 2000);
  refuseIfAny(problems);
  return reason;
}

/**
 * Until when a text works that a key's present one took the place of last; null: none does.
 * @param rotations the oldest first
 */
export function graceEnd(rotations: readonly { graceUntil: Date }[], now: Date): Date | null {
  const last = rotations.at(-1)?.graceUntil;
  return last && last > now ? last : null;
}
