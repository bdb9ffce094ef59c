import { readFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';
import { ConfigError, configVariables, readConfig } from '../src/config.js';

const key = (id: string, bytes = 32) => `${id}:${Buffer.alloc(bytes, id).toString('base64')}`;
const production = {
  NODE_ENV: 'production',
  DATABASE_URL: 'postgresql://u:p@db/latchkey',
  LATCHKEY_HMAC_KEYS: key('h1'),
  LATCHKEY_ENCRYPTION_KEYS: key('e1'),
};

function problemOf(env: Record<string, string>): string {
  try {
    readConfig(env);
  } catch (error) {
    expect(error).toBeInstanceOf(ConfigError);
    return (error as Error).message;
  }
  throw new Error('the configuration was accepted');
}

test('an empty environment is a development server on an embedded database', () => {
  const config = readConfig({});
  expect(config).toMatchObject({
    nodeEnv: 'development',
    production: false,
    host: '127.0.0.1',
    port: 4000,
    role: 'all',
    databaseUrl: null,
    directDatabaseUrl: null,
    dataDir: '.data',
    adminToken: null,
    hmacKeys: null,
    encryptionKeys: null,
    playground: true,
    trustProxy: 0,
    pools: { read: 10, write: 10 },
    limits: {
      depth: 10,
      aliases: 15,
      rootFields: 10,
      directives: 10,
      tokens: 1500,
      documentBytes: 20480,
      bodyBytes: 262144,
      errors: 5,
      cost: 10000,
      inputList: 250,
      bulkList: 1000,
      requestMs: 10000,
    },
    rateLimits: {
      token: { capacity: 5000, refillPerSecond: 84 },
      ip: { capacity: 1200, refillPerSecond: 20 },
    },
  });
  for (const part of [config, config.limits, config.pools, config.rateLimits, config.rateLimits.ip]) {
    expect(Object.isFrozen(part)).toBe(true);
  }
});

test('production listens on all addresses without a playground, and reads keys with the current one first', () => {
  const config = readConfig({ ...production, LATCHKEY_HMAC_KEYS: `${key('h2')}, ${key('h1')}` });
  expect(config).toMatchObject({ host: '0.0.0.0', playground: false, directDatabaseUrl: production.DATABASE_URL });
  expect(config.hmacKeys).toEqual([
    { id: 'h2', secret: Buffer.alloc(32, 'h2') },
    { id: 'h1', secret: Buffer.alloc(32, 'h1') },
  ]);
});

test('every variable overrides its default', () => {
  const config = readConfig({
    PORT: '0',
    HOST: '::1',
    LATCHKEY_ROLE: 'worker',
    LATCHKEY_CORS_ORIGINS: 'https://a.example, https://b.example',
    LATCHKEY_LIMIT_DEPTH: '12',
    LATCHKEY_RATE_IP_CAPACITY: '0',
    LATCHKEY_PUBLIC_URL: 'https://keys.example/',
    DIRECT_DATABASE_URL: 'postgres://direct/db',
  });
  expect(config).toMatchObject({
    port: 0,
    host: '::1',
    role: 'worker',
    corsOrigins: ['https://a.example', 'https://b.example'],
    publicUrl: 'https://keys.example',
    directDatabaseUrl: 'postgres://direct/db',
  });
  expect(config.limits.depth).toBe(12);
  expect(config.rateLimits.ip.capacity).toBe(0);
});

test.each<[string, Record<string, string>, RegExp]>([
  ['a port that is no number', { PORT: 'web' }, /PORT must be a whole number/],
  ['a port out of range', { PORT: '70000' }, /PORT must be at most 65535/],
  ['an unknown role', { LATCHKEY_ROLE: 'cook' }, /LATCHKEY_ROLE .*all,api,worker/],
  ['another database', { DATABASE_URL: 'mysql://x/y' }, /DATABASE_URL must look like postgresql:/],
  ['a short operator token', { LATCHKEY_ADMIN_TOKEN: 'secret' }, /LATCHKEY_ADMIN_TOKEN must have at least 32/],
  ['a short key', { LATCHKEY_HMAC_KEYS: key('k', 16) }, /LATCHKEY_HMAC_KEYS must be a comma-separated/],
  ['a long key', { LATCHKEY_HMAC_KEYS: key('k', 33) }, /LATCHKEY_HMAC_KEYS must be a comma-separated/],
  ['a key without an id', { LATCHKEY_ENCRYPTION_KEYS: key('k').slice(2) }, /LATCHKEY_ENCRYPTION_KEYS must be/],
  ['one key id twice', { LATCHKEY_HMAC_KEYS: `${key('k')},${key('k')}` }, /LATCHKEY_HMAC_KEYS names one key id twice/],
  ['a limit of nothing', { LATCHKEY_LIMIT_COST: '0' }, /LATCHKEY_LIMIT_COST must be a whole number of at least 1/],
  ['a refill of nothing', { LATCHKEY_RATE_IP_REFILL_PER_SECOND: '0' }, /REFILL_PER_SECOND must be a number above 0/],
  ['an SMTP address without scheme', { SMTP_URL: 'mail.example' }, /SMTP_URL must look like smtp:/],
  ['a sender without address', { LATCHKEY_MAIL_FROM: 'Acme' }, /LATCHKEY_MAIL_FROM must look like Acme </],
  ['two senders', { LATCHKEY_MAIL_FROM: 'a@a.example, b@b.example' }, /LATCHKEY_MAIL_FROM must look like/],
  ['production without a database', { ...production, DATABASE_URL: '' }, /DATABASE_URL is needed in production/],
  ['production without hash keys', { ...production, LATCHKEY_HMAC_KEYS: '' }, /LATCHKEY_HMAC_KEYS is needed/],
  [
    'production without encryption',
    { ...production, LATCHKEY_ENCRYPTION_KEYS: '' },
    /LATCHKEY_ENCRYPTION_KEYS is needed/,
  ],
])('%s is refused in one line', (_, env, expected) => {
  const message = problemOf(env);
  expect(message).toMatch(expected);
  expect(message).not.toContain('\n');
});

test('a refusal never repeats a secret', () => {
  const secret = key('k', 16);
  expect(problemOf({ LATCHKEY_HMAC_KEYS: secret, LATCHKEY_ADMIN_TOKEN: 'hunter2' })).not.toMatch(
    new RegExp(`hunter2|${secret.slice(2, 12)}`),
  );
});

test('.env.example names exactly the variables that are read', () => {
  const example = readFileSync('.env.example', 'utf8');
  const named = [...example.matchAll(/^([A-Z_]+)=/gm)].map(([, name]) => name);
  expect(named.toSorted()).toEqual(configVariables.toSorted());
});
