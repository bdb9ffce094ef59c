import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { currentKeyHmac, keyHmacs } from '../../src/licenseKeys/keyHmacs.js';
import { generateKey } from '../../src/catalog/keyPattern.js';
import { checkKey, last4, maskedKey, normalizeKey } from '../../src/licenseKeys/licenseKey.js';
import type { UserErrorData } from '../../src/kernel/refusal.js';

test('keys are compared without case, spaces, dashes and invisible characters, in compatible form', () => {
  const spellings = [
    'ABC-12 x',
    'abc12X',
    ' a b c 1 2 x ',
    'ABC\u201312\u2212X',
    'ＡＢＣ１２Ｘ',
    'AB\u00adC\u200b12x',
    'abc\u00a012\tx',
  ];
  expect(new Set(spellings.map(normalizeKey))).toEqual(new Set(['ABC12X']));
  expect(normalizeKey('Straße')).toBe(normalizeKey('STRASSE'));
  expect(normalizeKey('STRAẞE')).toBe(normalizeKey('strasse'));
  expect(normalizeKey('A_B.C')).toBe('A_B.C');
  expect(normalizeKey('ABC12Y')).not.toBe(normalizeKey('ABC12X'));
});

test('normalizing twice, or in another case, changes nothing', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme-ascii', maxLength: 40 }), (key) => {
      const normal = normalizeKey(key);
      expect(normalizeKey(normal)).toBe(normal);
      expect(normalizeKey(key.toLowerCase())).toBe(normal);
      expect(normalizeKey(key.split('').join(' - '))).toBe(normal);
    }),
  );
});

test('generated keys have the pattern, no letters that are mistaken for each other, and 125 bits', () => {
  const keys = Array.from({ length: 2000 }, () => generateKey());
  expect(new Set(keys).size).toBe(2000);
  const letters = new Set(keys.join('').replaceAll('-', ''));
  expect([...letters].sort().join('')).toBe('23456789ABCDEFGHJKLMNPQRSTUVWXYZ');
  for (const key of keys) expect(key).toMatch(/^(\w{5}-){4}\w{5}$/);
  expect(25 * Math.log2(letters.size)).toBe(125);
});

test('never more than four characters and never more than half of a key are shown', () => {
  const shown = ['', 'A', 'AB', 'ABC', 'ABCDEF', 'ABCDEFG', 'ABCDEFGH', 'ABCDEFGHI', '🔑🔒🔓🗝'].map(last4);
  expect(shown).toEqual(['', '', 'B', 'C', 'DEF', 'EFG', 'EFGH', 'FGHI', '🔓🗝']);
  expect([maskedKey({ last4: 'EFGH' }), maskedKey({ last4: '' })]).toEqual(['********EFGH', '********']);
});

test('a key has 1 to 512 characters, white space at its ends not counted, and more to it than dashes', () => {
  const codes = (key: string) => {
    const problems: UserErrorData[] = [];
    checkKey(problems, ['input', 'key'], key);
    return problems.map(({ code, path }) => [code, path.join('.')]);
  };
  expect(codes('A')).toEqual([]);
  expect(codes(` ${'A'.repeat(512)} `)).toEqual([]);
  expect(codes('A'.repeat(513))).toEqual([['INVALID_INPUT', 'input.key']]);
  for (const blank of ['', '   ', '\t\n', '- - -', '\u200b', '\u2014']) {
    expect([blank, codes(blank)]).toEqual([blank, [['KEY_BLANK', 'input.key']]]);
  }
});

test('look-up values differ by business, mode and secret, and while secrets are rotated there is one for each', () => {
  const keys = new Map([
    ['new', Buffer.alloc(32, 1)],
    ['old', Buffer.alloc(32, 2)],
  ]);
  const keyring = { hmac: { currentId: 'new', keys }, encryption: { currentId: 'e', keys: new Map() } };
  const live = { businessId: 'b1', mode: 'LIVE' as const };
  const values = keyHmacs(keyring, live, 'abc-1');
  expect(values.map(({ hmacKeyId }) => hmacKeyId)).toEqual(['new', 'old']);
  expect(values[0]).toEqual({ ...currentKeyHmac(keyring, live, 'ABC1'), mode: 'LIVE' });
  const all = [
    ...values,
    currentKeyHmac(keyring, { ...live, mode: 'TEST' }, 'abc-1'),
    currentKeyHmac(keyring, { ...live, businessId: 'b2' }, 'abc-1'),
  ];
  expect(new Set(all.map(({ keyHmac }) => keyHmac.toString('hex'))).size).toBe(4);
});
