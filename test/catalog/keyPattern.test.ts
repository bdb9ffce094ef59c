import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import {
  bitsOf,
  checkCharacterOf,
  defaultKeyPattern,
  generateKey,
  isImpossibleKey,
  keyPatternOf,
  keyPatternProblems,
  reservedPrefixOf,
  type KeyPattern,
} from '../../src/catalog/keyPattern.js';
import { normalizeKey } from '../../src/licenseKeys/licenseKey.js';

const acme = keyPatternOf({ prefix: 'ACME', groups: [6, 6, 6, 6] });
const exclusive = new Map([['ACME', acme]]);
const codes = (input: object) => keyPatternProblems(['p'], input).map(({ code, path }) => `${code} ${path.join('.')}`);

test('a key has its prefix, groups of the alphabet, and a check character that its body gives', () => {
  expect(acme).toEqual({ ...defaultKeyPattern, groups: [6, 6, 6, 6], prefix: 'ACME', checkCharacter: true });
  for (let i = 0; i < 500; i++) {
    const key = generateKey(acme);
    expect(key).toMatch(/^ACME(-[2-9A-HJ-NP-Z]{6}){4}$/);
    const body = normalizeKey(key).slice(4);
    expect(checkCharacterOf(body.slice(0, -1), acme.alphabet as string)).toBe(body.slice(-1));
    expect(isImpossibleKey(normalizeKey(key), exclusive)).toBe(false);
  }
});

test('any one mistyped character of a key makes it impossible, and so do nearly all swaps of neighbors', () => {
  const alphabet = acme.alphabet as string;
  let [swaps, seen] = [0, 0];
  for (let round = 0; round < 40; round++) {
    const key = normalizeKey(generateKey(acme));
    for (let i = 4; i < key.length; i++) {
      for (const character of alphabet) {
        const typed = key.slice(0, i) + character + key.slice(i + 1);
        expect(isImpossibleKey(typed, exclusive)).toBe(typed !== key);
      }
      const swapped = key.slice(0, i) + key.charAt(i + 1) + key.charAt(i) + key.slice(i + 2);
      if (swapped !== key && swapped.length === key.length) {
        swaps++;
        if (isImpossibleKey(swapped, exclusive)) seen++;
      }
    }
  }
  expect(seen / swaps).toBeGreaterThan(0.97);
});

test.each([2, 3, 10, 31, 35, 36])('with %i characters, too, any one that is mistyped shows', (size) => {
  const alphabet = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ'.slice(0, size);
  for (let round = 0; round < 20; round++) {
    const body = Array.from({ length: 7 }, () => alphabet[Math.floor(Math.random() * size)]);
    const check = checkCharacterOf(body.join(''), alphabet);
    body.forEach((right, i) => {
      const alike = [...alphabet].filter((typed) => checkCharacterOf(body.with(i, typed).join(''), alphabet) === check);
      expect(alike).toEqual([right]);
    });
  }
});

test('only what begins with a known prefix can be impossible', () => {
  fc.assert(
    fc.property(fc.string({ maxLength: 40 }), (text) => {
      const key = normalizeKey(text);
      if (!key.startsWith('ACME')) expect(isImpossibleKey(key, exclusive)).toBe(false);
      expect(isImpossibleKey(key, new Map())).toBe(false);
    }),
  );
  expect(['', 'A', 'ACM', 'ACNE22'].map((key) => isImpossibleKey(key, exclusive))).toEqual([
    false,
    false,
    false,
    false,
  ]);
  expect(['ACME', 'ACME2', `ACME${'2'.repeat(23)}1`].map((key) => isImpossibleKey(key, exclusive))).toEqual([
    true,
    true,
    true,
  ]);
});

test('telling an impossible key takes no more of many prefixes than of one', () => {
  let looks = 0;
  class Counted extends Map<string, KeyPattern> {
    override get(prefix: string): KeyPattern | undefined {
      looks++;
      return super.get(prefix);
    }
  }
  const looksAmong = (count: number) => {
    looks = 0;
    const many = Array.from({ length: count }, (_, i): [string, KeyPattern] => [
      `P${i}X`,
      { ...acme, prefix: `P${i}X` },
    ]);
    const exclusive = new Counted(many);
    expect(isImpossibleKey(normalizeKey(generateKey({ ...acme, prefix: 'P0X' })), exclusive)).toBe(false);
    expect(isImpossibleKey('Q'.repeat(512), exclusive)).toBe(false);
    return looks;
  };
  // One for each length that a prefix may have, from 2 on: up to the 3 of the one that is found, and up to 16.
  expect([looksAmong(1), looksAmong(2000)]).toEqual([2 + 15, 2 + 15]);
});

test('patterns that could be guessed or are malformed are refused', () => {
  expect([bitsOf(defaultKeyPattern), bitsOf(acme), bitsOf(keyPatternOf({ kind: 'GUID' }))]).toEqual([125, 115, 122]);
  expect(codes({ groups: [5, 5, 5, 5] })).toEqual([]);
  expect(codes({ groups: [5, 5, 5, 5], checkCharacter: true })).toEqual(['WEAK_KEY_PATTERN p']);
  expect(codes({ groups: [19] })).toEqual(['WEAK_KEY_PATTERN p']);
  expect(codes({ alphabet: '0123456789', groups: [31] })).toEqual([]);
  expect(codes({ alphabet: '0123456789', groups: [30] })).toEqual(['WEAK_KEY_PATTERN p']);
  expect(codes({ alphabet: 'AAB' })).toEqual(['INVALID_INPUT p.alphabet']);
  expect(codes({ alphabet: 'abc', groups: [0, 33], prefix: 'A-B' })).toEqual([
    'INVALID_INPUT p.alphabet',
    'INVALID_INPUT p.groups.0',
    'INVALID_INPUT p.groups.1',
    'INVALID_INPUT p.prefix',
  ]);
  expect(codes({ groups: [] })).toEqual(['INVALID_INPUT p.groups']);
  expect(codes({ prefix: 'A' })).toEqual(['INVALID_INPUT p.prefix']);
  expect(codes({ kind: 'GUID', prefix: 'AB' })).toEqual(['INVALID_INPUT p.prefix']);
  expect(generateKey(keyPatternOf({ kind: 'GUID' }))).toMatch(/^[0-9A-F]{8}(-[0-9A-F]{4}){3}-[0-9A-F]{12}$/);
});

test('a key without a prefix never begins with a reserved one by chance', () => {
  const reserved = [...'23456789ABCDEFGHJKLMNPQRSTUVWXY'].map((character) => `${character}2`);
  for (let i = 0; i < 3000; i++)
    expect(reservedPrefixOf(generateKey(defaultKeyPattern, reserved), reserved)).toBeNull();
});
