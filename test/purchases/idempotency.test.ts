import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { readConfig } from '../../src/config.js';
import { IdempotentReplay } from '../../src/kernel/idempotency.js';
import { parseGlobalId } from '../../src/kernel/id.js';
import type { RequestContext } from '../../src/kernel/requestContext.js';
import { keyringOf } from '../../src/keyring.js';
import { purchaseLicensesByWallet } from '../../src/purchases/purchaseLicensesByWallet.js';
import { testEnvironment, useApi } from '../support/api.js';
import { newSession } from '../support/business.js';
import { expectInvariants } from '../support/invariants.js';
import { balanceOf, creditWallet } from '../support/wallets.js';
import { buy, newShop, now, refusals, rowCounts, type Shop } from './shop.js';

const api = useApi();

beforeEach(() => api.setNow(now));
afterEach(() => expectInvariants(api.db));

const replayed = (value: boolean) => [{ path: ['purchaseLicensesByWallet'], replayed: value }];

test('64 duplicates at once buy once; all get that result, and are told which of them did it', async () => {
  const shop = await newShop(api);
  const input = { ...shop.input, idempotencyKey: 'click' };
  const answers = await Promise.all(Array.from({ length: 64 }, () => buy(api, shop.token, input)));
  const [first] = answers;
  expect(first?.data.purchaseLicensesByWallet.success).toBe(true);
  for (const answer of answers) expect(answer.data).toEqual(first?.data);
  const told = answers.map(({ extensions }) => extensions.idempotency);
  expect(told.filter(([{ replayed }]) => !replayed)).toEqual([replayed(false)]);
  expect(told.filter(([{ replayed }]) => replayed)).toEqual(Array.from({ length: 63 }, () => replayed(true)));
  expect(await balanceOf(api, shop.token, shop.walletId)).toBe(9_000n);
});

test('duplicates in several processes buy once too: the database keeps the key', async () => {
  const shop = await newShop(api);
  // Processes share nothing but the database: this is what each of them does, without what one process does in memory.
  const window = { startDate: new Date(now), endDate: new Date('2026-12-31') };
  const attempt = () =>
    purchaseLicensesByWallet(contextOf(shop), { ...shop.input, ...window } as never).then(
      (refs) => ({ refs, replayed: false }),
      (error: unknown) => {
        if (!(error instanceof IdempotentReplay)) throw error;
        return { refs: error.result, replayed: true };
      },
    );
  const results = await Promise.all(Array.from({ length: 16 }, attempt));
  expect(results.filter((result) => !result.replayed)).toHaveLength(1);
  for (const { refs } of results) expect(refs).toEqual(results[0]?.refs);
  expect(await balanceOf(api, shop.token, shop.walletId)).toBe(9_000n);
});

function contextOf(shop: Shop): RequestContext {
  const businessId = parseGlobalId(shop.business.id)?.uuid as string;
  return {
    db: api.db,
    viewer: { principal: 'API_KEY', businessId, mode: 'LIVE', apiKeyId: businessId, scopes: new Set(), brandId: null },
    now: new Date(now),
    requestId: 'test',
    actor: null,
    keyring: keyringOf(readConfig(testEnvironment)),
    mailFolder: null,
    guesses: null,
    idempotency: {
      namespace: `${businessId}:LIVE`,
      key: 'same',
      mutation: 'purchaseLicensesByWallet',
      fingerprint: Buffer.alloc(32, 7),
      forever: true,
      secretFields: [],
    },
  };
}

test('the same meaning is the same call, another one a conflict', async () => {
  const shop = await newShop(api);
  const input = { ...shop.input, idempotencyKey: 'k' };
  const first = await buy(api, shop.token, input);
  const reordered = Object.fromEntries(Object.entries({ ...input, code: null }).reverse());
  expect((await buy(api, shop.token, reordered)).data).toEqual(first.data);
  const before = await rowCounts(api);
  for (const change of [{ quantity: 2 }, { amount: '10.01' }, { tags: ['a'] }, { description: 'x' }]) {
    const conflict = await buy(api, shop.token, { ...input, ...change });
    expect([conflict.status, conflict.errors?.[0]?.extensions.code, conflict.data]).toEqual([
      409,
      'IDEMPOTENCY_CONFLICT',
      null,
    ]);
  }
  expect(await rowCounts(api)).toEqual(before);
});

test('the key may stand in the header; its own or the source’s', async () => {
  const shop = await newShop(api);
  const first = await buy(api, shop.token, shop.input, { 'idempotency-key': 'by-header' });
  const second = await buy(api, shop.token, shop.input, { 'x-idempotency-key': 'by-header' });
  const third = await buy(api, shop.token, { ...shop.input, idempotencyKey: 'by-header' });
  expect([second.data, third.data]).toEqual([first.data, first.data]);
  expect([first, second, third].map(({ extensions }) => extensions.idempotency)).toEqual([
    replayed(false),
    replayed(true),
    replayed(true),
  ]);
  expect(await balanceOf(api, shop.token, shop.walletId)).toBe(9_000n);
});

test('32 duplicates of a refused purchase are all refused and leave the key free', async () => {
  const shop = await newShop(api, { funds: '5' });
  const input = { ...shop.input, idempotencyKey: 'too-early' };
  const before = await rowCounts(api);
  const answers = await Promise.all(Array.from({ length: 32 }, () => buy(api, shop.token, input)));
  for (const answer of answers) expect(refusals(answer)).toEqual(['INSUFFICIENT_FUNDS input.walletId']);
  expect(await rowCounts(api)).toEqual(before);
  await creditWallet(api, shop.business.live, shop.walletId, '5');
  const retry = await buy(api, shop.token, input);
  expect([retry.data.purchaseLicensesByWallet.success, retry.extensions.idempotency]).toEqual([true, replayed(false)]);
});

test('a key of money is kept for ever: a year later the retry gets the same order, though the window has passed', async () => {
  const shop = await newShop(api);
  const input = { ...shop.input, idempotencyKey: 'for-ever' };
  const first = await buy(api, shop.token, input);
  api.setNow('2026-12-03T12:00:00.000Z');
  const later = await buy(api, shop.token, input);
  expect([later.data.purchaseLicensesByWallet, later.extensions.idempotency]).toEqual([
    first.data.purchaseLicensesByWallet,
    replayed(true),
  ]);
  api.setNow('2027-12-01T12:00:00.000Z');
  const muchLater = await buy(api, shop.token, input);
  expect([muchLater.data.purchaseLicensesByWallet, muchLater.extensions.idempotency]).toEqual([
    first.data.purchaseLicensesByWallet,
    replayed(true),
  ]);
  expect(await balanceOf(api, shop.token, shop.walletId)).toBe(9_000n);
});

test('one key of two businesses, or of a business and a session, is two keys', async () => {
  const [shop, other] = [await newShop(api), await newShop(api)];
  const session = await newSession(api, shop.business.live, shop.customerId);
  const key = { idempotencyKey: 'shared' };
  const answers = [
    await buy(api, shop.token, { ...shop.input, ...key }),
    await buy(api, other.token, { ...other.input, ...key }),
    await buy(api, session, { ...shop.input, ...key }),
  ];
  expect(answers.map(({ extensions }) => extensions.idempotency)).toEqual([
    replayed(false),
    replayed(false),
    replayed(false),
  ]);
  expect(new Set(answers.map(({ data }) => data.purchaseLicensesByWallet.order.id)).size).toBe(3);
});
