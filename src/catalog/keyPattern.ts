import { randomUUID } from 'node:crypto';
import type { KeyPatternInput } from '../generated/graphql.js';
import { userError, type UserErrorData } from '../kernel/refusal.js';
import { randomText } from '../kernel/secret.js';
import { checkRange } from '../kernel/text.js';

/** How generated keys look; as a product keeps it. Of a GUID nothing else can be chosen. */
export interface KeyPattern {
  readonly kind: 'CHARACTERS' | 'GUID';
  /** Different capital letters and digits; null for GUIDs. */
  readonly alphabet: string | null;
  /** Lengths of the groups, the prefix not among them; null for GUIDs. */
  readonly groups: readonly number[] | null;
  /** What every key begins with. */
  readonly prefix: string | null;
  /** Whether the last character of the last group is computed from those before it. */
  readonly checkCharacter: boolean;
}

/** Fewer random bits than these could be guessed in time. */
export const MINIMUM_BITS = 100;
const GUID_BITS = 122;
const PREFIX_LENGTHS = { minimum: 2, maximum: 16 };
const CAPITALS_AND_DIGITS = /^[0-9A-Z]*$/;

/** Five groups of five letters and digits that people do not mistake for each other, without 0, 1, I and O: 125 bits. */
export const defaultKeyPattern: KeyPattern = {
  kind: 'CHARACTERS',
  alphabet: '23456789ABCDEFGHJKLMNPQRSTUVWXYZ',
  groups: [5, 5, 5, 5, 5],
  prefix: null,
  checkCharacter: false,
};

const guidPattern: KeyPattern = { kind: 'GUID', alphabet: null, groups: null, prefix: null, checkCharacter: false };

/** A pattern as it was asked for, defaults filled in. */
export function keyPatternOf({ kind, alphabet, groups, prefix, checkCharacter }: KeyPatternInput): KeyPattern {
  if (kind === 'GUID') return guidPattern;
  return {
    kind: 'CHARACTERS',
    alphabet: alphabet ?? defaultKeyPattern.alphabet,
    groups: groups ?? defaultKeyPattern.groups,
    prefix: prefix ?? null,
    checkCharacter: checkCharacter ?? prefix != null,
  };
}

/** What is wrong with a pattern that is asked for, all at once; no I/O. InvalidInput, WeakKeyPattern. */
export function keyPatternProblems(
  path: readonly string[],
  input: KeyPatternInput | null | undefined,
): UserErrorData[] {
  if (!input) return [];
  const problems: UserErrorData[] = [];
  const refuse = (field: string, message: string) =>
    problems.push(userError('InvalidInput', [...path, field], message));
  const { kind, alphabet, groups, prefix, checkCharacter } = input;
  if (kind === 'GUID') {
    for (const [field, value] of Object.entries({ alphabet, groups, prefix, checkCharacter })) {
      if (value != null) refuse(field, 'A GUID has none of its own choice. Leave it out, or use the kind CHARACTERS.');
    }
    return problems;
  }
  if (alphabet != null && !isAlphabet(alphabet)) {
    refuse('alphabet', 'Give 2 to 36 capital letters and digits, each once.');
  }
  checkRange(problems, [...path, 'groups'], groups?.length, 1, 20);
  groups?.forEach((length, i) => checkRange(problems, [...path, 'groups', String(i)], length, 1, 32));
  if (prefix != null && !isPrefix(prefix)) {
    const { minimum, maximum } = PREFIX_LENGTHS;
    refuse('prefix', `Give ${minimum} to ${maximum} capital letters and digits, without dashes.`);
  }
  if (problems.length === 0) problems.push(...weakness(path, keyPatternOf(input)));
  return problems;
}

function isAlphabet(text: string): boolean {
  return CAPITALS_AND_DIGITS.test(text) && text.length >= 2 && new Set(text).size === text.length;
}

function isPrefix(text: string): boolean {
  const { minimum, maximum } = PREFIX_LENGTHS;
  return CAPITALS_AND_DIGITS.test(text) && text.length >= minimum && text.length <= maximum;
}

function weakness(path: readonly string[], pattern: KeyPattern): UserErrorData[] {
  const bits = bitsOf(pattern);
  if (bits >= MINIMUM_BITS) return [];
  const message = `Keys of this pattern have ${bits} random bits and could be guessed. Use longer groups or a larger alphabet.`;
  return [userError('WeakKeyPattern', path, message, { bits, minimum: MINIMUM_BITS })];
}

/** How many random bits a key of a pattern has, rounded down. The prefix and the check character are not random. */
export function bitsOf(pattern: KeyPattern): number {
  if (pattern.alphabet === null) return GUID_BITS;
  const random = lengthOf(pattern) - (pattern.checkCharacter ? 1 : 0);
  return Math.floor(random * Math.log2(pattern.alphabet.length));
}

/** Characters of a key behind its prefix, dashes not counted. */
function lengthOf({ groups }: KeyPattern): number {
  return (groups ?? []).reduce((sum, length) => sum + length, 0);
}

/** Draws in vain before the patterns of a business are taken to leave no key. */
const ATTEMPTS = 100;

/**
 * A new key of a pattern.
 * @param reserved prefixes of the business's patterns: a key without a prefix does not begin with one of them by chance
 * @throws Error when prefixes leave hardly any key of the pattern
 */
export function generateKey(pattern: KeyPattern = defaultKeyPattern, reserved: readonly string[] = []): string {
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const key = draw(pattern);
    if (pattern.prefix !== null || reservedPrefixOf(key.replaceAll('-', ''), reserved) === null) return key;
  }
  throw new Error("a business's reserved prefixes leave hardly any key of a pattern");
}

function draw(pattern: KeyPattern): string {
  const { alphabet, groups, prefix, checkCharacter } = pattern;
  if (alphabet === null || groups === null) return randomUUID().toUpperCase();
  let body = randomText(lengthOf(pattern) - (checkCharacter ? 1 : 0), alphabet);
  if (checkCharacter) body += checkCharacterOf(body, alphabet);
  let end = 0;
  const parts = groups.map((length) => body.slice(end, (end += length)));
  return [...(prefix === null ? [] : [prefix]), ...parts].join('-');
}

/**
 * The character that makes one mistyped character, and nearly every swap of two neighbors, show: Luhn's algorithm modulo the
 * size of the alphabet. Its sums of digits tell all characters apart where that size is even; where it is odd, doubling alone
 * does, and tells every swap.
 */
export function checkCharacterOf(body: string, alphabet: string): string {
  const size = alphabet.length;
  let sum = 0;
  let factor = 2;
  for (let i = body.length - 1; i >= 0; i--) {
    const addend = factor * alphabet.indexOf(body.charAt(i));
    sum += size % 2 === 0 ? Math.floor(addend / size) + (addend % size) : addend;
    factor = 3 - factor;
  }
  return alphabet.charAt((size - (sum % size)) % size);
}

/** The reserved prefix that a normalized text begins with; null: none. No prefix of a business is the beginning of another. */
export function reservedPrefixOf(normalized: string, reserved: readonly string[]): string | null {
  return reserved.find((prefix) => normalized.startsWith(prefix)) ?? null;
}

/**
 * Whether a text cannot be a key of the business, told without a look-up: it begins with a prefix and is not what the prefix's
 * pattern makes. Takes about a microsecond.
 * @param normalized as `normalizeKey` gives it
 * @param exclusive patterns by prefix, only of products whose `keyPrefixIsExclusive`: other prefixes may begin keys that are
 *   older than the pattern
 */
export function isImpossibleKey(normalized: string, exclusive: ReadonlyMap<string, KeyPattern>): boolean {
  if (exclusive.size === 0) return false;
  const longest = Math.min(PREFIX_LENGTHS.maximum, normalized.length);
  for (let length = PREFIX_LENGTHS.minimum; length <= longest; length++) {
    const pattern = exclusive.get(normalized.slice(0, length));
    if (pattern) return !isOfPattern(normalized.slice(length), pattern);
  }
  return false;
}

function isOfPattern(body: string, pattern: KeyPattern): boolean {
  const { alphabet, checkCharacter } = pattern;
  if (alphabet === null) return true;
  if (body.length !== lengthOf(pattern)) return false;
  for (const character of body) if (!alphabet.includes(character)) return false;
  return !checkCharacter || checkCharacterOf(body.slice(0, -1), alphabet) === body.slice(-1);
}
