import { expect, test } from '@jest/globals';
import { addressKey, createRateLimiter } from '../../src/graphql/rateLimit.js';
import { startServer, validToken } from './startServer.js';

test('a bucket empties by requests and fills by time', () => {
  let now = 0;
  const take = createRateLimiter({ capacity: 2, refillPerSecond: 0.5 }, () => now);
  expect(take('a')).toEqual({ allowed: true, limit: 2, remaining: 1, resetSeconds: 2, retryAfterSeconds: 0 });
  expect(take('a')).toMatchObject({ allowed: true, remaining: 0, resetSeconds: 4 });
  expect(take('a')).toMatchObject({ allowed: false, remaining: 0, retryAfterSeconds: 2 });
  expect(take('b')).toMatchObject({ allowed: true });
  now = 1_999;
  expect(take('a')).toMatchObject({ allowed: false, retryAfterSeconds: 1 });
  now = 2_000;
  expect(take('a')).toMatchObject({ allowed: true });
  now = 1_000_000;
  expect(take('a')).toMatchObject({ remaining: 1 });
});

test('memory is bounded: who was silent longest is forgotten', () => {
  const take = createRateLimiter({ capacity: 1, refillPerSecond: 1 }, () => 0, 2);
  take('a');
  take('b');
  expect(take('a')).toMatchObject({ allowed: false });
  take('c'); // forgets b
  expect(take('a')).toMatchObject({ allowed: false });
  expect(take('b')).toMatchObject({ allowed: true });
});

test('capacity 0 switches a limit off', () => {
  expect(createRateLimiter({ capacity: 0, refillPerSecond: 1 })('a')).toBeNull();
});

test.each([
  ['192.0.2.1', '192.0.2.1'],
  ['::ffff:192.0.2.1', '192.0.2.1'],
  ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2'],
  ['2001:db8:1:2::9', '2001:db8:1:2'],
  ['2001:db8::9', '2001:db8:0:0'],
  ['::1', '0:0:0:0'],
  ['fe80::1%eth0', 'fe80:0:0:0'],
])('%s is counted as %s', (ip, key) => {
  expect(addressKey(ip)).toBe(key);
});

const small = {
  LATCHKEY_RATE_IP_CAPACITY: '3',
  LATCHKEY_RATE_IP_REFILL_PER_SECOND: '0.001',
  LATCHKEY_RATE_TOKEN_CAPACITY: '2',
  LATCHKEY_RATE_TOKEN_REFILL_PER_SECOND: '0.001',
};

test('anonymous and wrongly authenticated calls share the bucket of their address; each token has its own', async () => {
  const server = await startServer({ env: small });
  try {
    const first = await server.ask('{ hello }', {}, { 'x-forwarded-for': '198.51.100.1' });
    expect(first.headers.get('ratelimit-limit')).toBe('3');
    expect(first.headers.get('ratelimit-remaining')).toBe('2');
    expect(Number(first.headers.get('ratelimit-reset'))).toBeGreaterThan(0);
    const malformed = await server.post('{', { 'x-forwarded-for': '198.51.100.2' });
    expect([malformed.status, malformed.headers.get('ratelimit-remaining')]).toEqual([400, '1']);
    expect((await server.ask('{ hello }', {}, { authorization: 'Bearer wrong' })).status).toBe(401);
    const refused = await server.ask('{ hello }', {}, { authorization: 'Bearer wrong' });
    expect(refused).toMatchObject({ status: 429, errors: [{ extensions: { code: 'RATE_LIMITED' } }] });
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);

    const authorized = { authorization: `Bearer ${validToken}` };
    expect((await server.ask('{ hello }', {}, authorized)).headers.get('ratelimit-remaining')).toBe('1');
    expect((await server.ask('{ hello }', {}, authorized)).status).toBe(200);
    expect((await server.ask('{ hello }', {}, authorized)).status).toBe(429);
    expect((await server.ask('{ hello }', {}, { authorization: `Bearer ${validToken}2` })).status).toBe(200);
  } finally {
    await server.close();
  }
});

test('an address that has nothing left is not looked up, whatever brand it names; a token is, and pays for itself', async () => {
  const server = await startServer({ env: small });
  try {
    const asked: number[] = [];
    for (let i = 0; i < 6; i++) asked.push((await server.ask('{ hello }', {}, { 'brand-url': `b${i}` })).status);
    expect([asked.slice(3), server.contexts()]).toEqual([[429, 429, 429], 3]);
    const paid = await server.ask('{ hello }', {}, { authorization: `Bearer ${validToken}` });
    expect([paid.status, paid.headers.get('ratelimit-limit'), server.contexts()]).toEqual([200, '2', 4]);
  } finally {
    await server.close();
  }
});

test('X-Forwarded-For counts only behind a trusted proxy', async () => {
  const server = await startServer({ env: { ...small, LATCHKEY_TRUST_PROXY: 'true' } });
  try {
    const remainingFor = async (addresses: string) =>
      (await server.ask('{ hello }', {}, { 'x-forwarded-for': addresses })).headers.get('ratelimit-remaining');
    expect(await remainingFor('198.51.100.1')).toBe('2');
    expect(await remainingFor('198.51.100.2')).toBe('2');
    expect(await remainingFor('203.0.113.9, 198.51.100.2')).toBe('1'); // only the proxy's own entry is believed
  } finally {
    await server.close();
  }
});
