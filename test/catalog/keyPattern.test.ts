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

test('telling an impossible key takes a few microseconds', () => {
  const many = new Map(
    Array.from({ length: 200 }, (_, i): [string, KeyPattern] => [`P${i}X`, { ...acme, prefix: `P${i}X` }]),
  );
  const keys = Array.from({ length: 20_000 }, () => normalizeKey(generateKey({ ...acme, prefix: 'P77X' })));
  const begun = performance.now();
  expect(keys.filter((key) => isImpossibleKey(key, many))).toEqual([]);
  expect((performance.now() - begun) / keys.length).toBeLessThan(0.05);
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
