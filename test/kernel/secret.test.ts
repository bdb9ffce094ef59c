import { expect, test } from '@jest/globals';
import {
  decrypt,
  encrypt,
  hmacOf,
  isWellFormedToken,
  newToken,
  randomText,
  type KeySet,
} from '../../src/kernel/secret.js';

const keys = (currentId: string, ...ids: number[]): KeySet => ({
  currentId,
  keys: new Map(ids.map((id) => [`k${id}`, Buffer.alloc(32, id)])),
});

test('what is encrypted reads back only under its key and in its place', () => {
  const sealed = encrypt(keys('k1', 1), 'SECRET-KEY', ['biz', 'LIVE', 'row']);
  expect(sealed.includes('SECRET-KEY')).toBe(false);
  expect(decrypt(keys('k2', 1, 2), sealed, ['biz', 'LIVE', 'row'])).toBe('SECRET-KEY');
  expect(() => decrypt(keys('k1', 1), sealed, ['biz', 'TEST', 'row'])).toThrow();
  expect(() => decrypt(keys('k2', 2), sealed, ['biz', 'LIVE', 'row'])).toThrow('the secret key "k1" is not configured');
  const changed = Buffer.from(sealed);
  changed[changed.length - 1] = (changed.at(-1) as number) ^ 1;
  expect(() => decrypt(keys('k1', 1), changed, ['biz', 'LIVE', 'row'])).toThrow();
  expect(encrypt(keys('k1', 1), 'SECRET-KEY', ['biz']).equals(encrypt(keys('k1', 1), 'SECRET-KEY', ['biz']))).toBe(
    false,
  );
});

test('an HMAC keeps its parts apart', () => {
  const key = Buffer.alloc(32, 1);
  expect(hmacOf(key, 'ab', 'c').equals(hmacOf(key, 'a', 'bc'))).toBe(false);
  expect(hmacOf(key, 'ab', 'c').equals(hmacOf(key, 'ab', 'c'))).toBe(true);
});

test('a token with a typing error is refused without a look-up', () => {
  const token = newToken('lk_live_');
  expect(token).toMatch(/^lk_live_[0-9A-Za-z]{38}$/);
  expect(isWellFormedToken(token, ['lk_live_', 'lk_test_'])).toBe(true);
  const other = token.at(12) === 'a' ? 'b' : 'a';
  expect(isWellFormedToken(token.slice(0, 12) + other + token.slice(13), ['lk_live_'])).toBe(false);
  expect(isWellFormedToken(token.replace('live', 'test'), ['lk_live_', 'lk_test_'])).toBe(false);
  expect(isWellFormedToken(`${token}0`, ['lk_live_'])).toBe(false);
});

test('random text uses every character of its alphabet about equally', () => {
  const counts = new Map<string, number>();
  for (const character of randomText(31_000, 'ABCDEFGHJKMNPQRSTUVWXYZ23456789')) {
    counts.set(character, (counts.get(character) ?? 0) + 1);
  }
  expect(counts.size).toBe(31);
  for (const count of counts.values()) expect(count).toBeGreaterThan(800);
});
