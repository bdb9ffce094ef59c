import { expect, test } from '@jest/globals';
import { pino } from 'pino';
import { readConfig } from '../../src/config.js';
import { keyringOf } from '../../src/keyring.js';
import { applyDueProductKeyEvents } from '../../src/productKeys/applyDueProductKeyEvents.js';
import { byClock, statusOf, transition, type ProductKeyEvent } from '../../src/productKeys/life.js';
import { testEnvironment, useApi } from '../support/api.js';
import { newApiKey, newBusiness, newCustomer, newSession } from '../support/business.js';
import { newProduct } from '../support/catalog.js';
import { changesOf, rowId } from '../support/licenses.js';
import { callProductKey, newBrandUrl, newProductKey } from '../support/productKeys.js';

const api = useApi();
const keyring = keyringOf(readConfig(testEnvironment));
const day = (n: number) => new Date(Date.parse('2026-03-01T00:00:00Z') + n * 86_400_000).toISOString();

/** One run of the worker's job at an instant. */
function runDue(instant: string): Promise<number> {
  const now = new Date(instant);
  const log = pino({ level: 'silent' });
  return applyDueProductKeyEvents({ db: api.db, keyring, mailFolder: null, clock: () => now, now, log });
}

async function statusAt(token: string, id: string, instant: string): Promise<unknown[]> {
  api.setNow(instant);
  const data = await api.data({
    token,
    query: `query ($id: ID!) { productKey(id: $id) { status valid cancelledAt } ${STATUSES.map(
      (status) => `${status}: productKeys(where: { status: { in: [${status}] }, id: { in: [$id] } }) { nodes { id } }`,
    ).join(' ')} }`,
    variables: { id },
  });
  const listed = STATUSES.filter((status) => data[status].nodes.length === 1);
  expect(listed).toEqual([data.productKey.status]);
  return [data.productKey.status, data.productKey.valid];
}

const STATUSES = ['SCHEDULED', 'TRIALING', 'ACTIVE', 'DISABLED', 'CANCELLED', 'EXPIRED'] as const;
const codes = (payload: any) => payload.userErrors.map(({ code }: { code: string }) => code);
const typesOf = async (id: string) => (await changesOf(api, id)).map(({ type }) => type.replace('product_key.', ''));

test('the clock is true at its instant for every reader, and the worker writes each event once', async () => {
  api.setNow(day(0));
  const { live } = await newBusiness(api);
  const productId = await newProduct(api, live, { trialDays: 10 });
  const id = await newProductKey(api, live, {
    productIds: [productId],
    start: day(1),
    expiration: day(30),
    notifyOnTrialExpiry: true,
  });
  const just = (n: number) => new Date(Date.parse(day(n)) - 1).toISOString();
  const seen = async () => {
    const rows = [];
    for (const at of [day(0), just(1), day(1), just(11), day(11), just(30), day(30)])
      rows.push(await statusAt(live, id, at));
    return rows;
  };
  const expected = [
    ['SCHEDULED', false],
    ['SCHEDULED', false],
    ['TRIALING', true],
    ['TRIALING', true],
    ['ACTIVE', true],
    ['ACTIVE', true],
    ['EXPIRED', false],
  ];
  expect(await seen()).toEqual(expected);
  for (const [at, events, status] of [
    [just(1), [], 'SCHEDULED'],
    [day(1), ['trial_started'], 'TRIALING'],
    [just(8), [], 'TRIALING'],
    [day(8), ['trial_expiring'], 'TRIALING'],
    [day(11), ['activated'], 'ACTIVE'],
    [day(30), ['expired', 'period_closed'], 'EXPIRED'],
  ] as const) {
    const before = (await typesOf(id)).length;
    const done = await Promise.all([runDue(at), runDue(at)]);
    expect([at, done[0] + done[1], (await typesOf(id)).slice(before)]).toEqual([at, events.length > 0 ? 1 : 0, events]);
    expect([at, (await statusAt(live, id, at))[0]]).toEqual([at, status]);
    expect([at, await runDue(at)]).toEqual([at, 0]);
  }
  const changes = await changesOf(api, id);
  expect(changes.map(({ sequence }) => sequence)).toEqual([1, 2, 3, 4, 5, 6]);
  expect(changes.map(({ actor_kind, created_at }) => [actor_kind, created_at.toISOString()]).slice(1)).toEqual(
    [day(1), day(8), day(11), day(30), day(30)].map((at) => ['SYSTEM', at]),
  );
  const mails = await api.db.sql(null, 'SELECT template, status FROM deliveries WHERE product_key_id = $1', [
    rowId(id),
  ]);
  expect(mails).toEqual([{ template: 'product-key-trial-expiring', status: 'QUEUED' }]);
  api.setNow(null);
});

test('a late worker writes everything in order, and leaves the notice of a trial out that is over', async () => {
  api.setNow(day(0));
  const { live } = await newBusiness(api);
  const productId = await newProduct(api, live, { trialDays: 2 });
  const fields = { productIds: [productId], start: day(1), notifyOnTrialExpiry: true };
  const late = await newProductKey(api, live, { ...fields, expiration: day(9) });
  const used = await newProductKey(api, live, fields);
  await runDue(day(10));
  expect(await typesOf(late)).toEqual(['created', 'trial_started', 'activated', 'expired', 'period_closed']);
  api.setNow(day(10));
  const { productKey, userErrors } = await callProductKey(api, live, 'disableProductKey', { productKeyId: used });
  expect([productKey.status, userErrors]).toEqual(['DISABLED', []]);
  expect(await typesOf(used)).toEqual(['created', 'trial_started', 'activated', 'disabled']);
  api.setNow(null);
});

/** Brings a new key where it stands. */
async function keyIn(token: string, productId: string, status: (typeof STATUSES)[number] | 'UNPAID'): Promise<string> {
  const start = { SCHEDULED: day(5), TRIALING: day(0) }[status as string] ?? day(-20);
  const fields = {
    productIds: [productId],
    start,
    allowMidPeriodCancellation: true,
    disableOnPaymentFailed: true,
    valid: status !== 'DISABLED',
  };
  const id = await newProductKey(api, token, { ...fields, ...(status === 'EXPIRED' ? { expiration: day(0.5) } : {}) });
  if (status === 'EXPIRED') api.setNow(day(0.5));
  if (status === 'UNPAID') {
    const failure = { productKeyId: id, externalPaymentId: `unpaid ${id}`, result: 'FAILED' };
    await callProductKey(api, token, 'recordPaymentResult', failure);
  }
  if (status === 'CANCELLED') await callProductKey(api, token, 'cancelProductKey', { productKeyId: id, at: 'NOW' });
  return id;
}

test('every event from every state: what the table says, and nothing else changes', async () => {
  api.setNow(day(0));
  const { live } = await newBusiness(api);
  const productId = await newProduct(api, live, { trialDays: 7 });
  const expected: Record<string, Record<ProductKeyEvent, string | null>> = {
    SCHEDULED: { disable: 'DISABLED', enable: null, cancel: 'CANCELLED' },
    TRIALING: { disable: 'DISABLED', enable: null, cancel: 'CANCELLED' },
    ACTIVE: { disable: 'DISABLED', enable: null, cancel: 'CANCELLED' },
    DISABLED: { disable: null, enable: 'ACTIVE', cancel: 'CANCELLED' },
    CANCELLED: { disable: null, enable: null, cancel: null },
    EXPIRED: { disable: null, enable: null, cancel: null },
  };
  for (const from of STATUSES) {
    for (const event of ['disable', 'enable', 'cancel'] as const) {
      api.setNow(day(0));
      const id = await keyIn(live, productId, from);
      const version = async () => (await changesOf(api, id)).length;
      const before = await version();
      const input = { productKeyId: id, ...(event === 'cancel' ? { at: 'NOW' } : {}) };
      const payload = await callProductKey(api, live, `${event}ProductKey`, input);
      const to = expected[from]?.[event] ?? null;
      expect([from, event, payload.productKey?.status ?? null]).toEqual([from, event, to]);
      expect([from, event, transition(from, event, 'ACTIVE')]).toEqual([from, event, to]);
      if (to) continue;
      const allowed = { DISABLED: ['ACTIVE', 'CANCELLED'], CANCELLED: [], EXPIRED: [] }[from as string] ?? [
        'DISABLED',
        'CANCELLED',
      ];
      const asked = { disable: 'DISABLED', enable: 'ACTIVE', cancel: 'CANCELLED' }[event];
      expect(payload.userErrors).toEqual([
        {
          __typename: 'IllegalProductKeyTransition',
          code: 'ILLEGAL_PRODUCT_KEY_TRANSITION',
          path: ['input', 'productKeyId'],
          message: expect.any(String),
          fromStatus: from,
          toStatus: asked,
          allowedStatuses: allowed,
        },
      ]);
      // The expiry was due; nothing else was written.
      expect([from, event, await version()]).toEqual([from, event, before]);
    }
  }
  for (const from of ['CANCELLED', 'EXPIRED'] as const) {
    api.setNow(day(0));
    const id = await keyIn(live, productId, from);
    for (const [name, input] of [
      ['updateProductKey', { description: 'x' }],
      ['rotateProductKey', {}],
      ['recordPaymentResult', { externalPaymentId: `late-${from}`, result: 'FAILED' }],
      ['withdrawProductKeyCancellation', {}],
      ['transferProductKey', { owner: 'cus_x' }],
    ] as const) {
      const payload = await callProductKey(api, live, name, { productKeyId: id, ...input });
      expect([name, payload.userErrors.map(({ code, endedAs }: any) => [code, endedAs])]).toEqual([
        name,
        [['PRODUCT_KEY_ENDED', from]],
      ]);
    }
  }
  api.setNow(null);
});

test('every payment result in every state: what a payment may change, and what it may not', async () => {
  api.setNow(day(0));
  const { live } = await newBusiness(api);
  const productId = await newProduct(api, live, { trialDays: 7 });
  const expected = {
    SCHEDULED: { FAILED: 'DISABLED PAYMENT', SUCCEEDED: 'SCHEDULED null' },
    TRIALING: { FAILED: 'DISABLED PAYMENT', SUCCEEDED: 'TRIALING null' },
    ACTIVE: { FAILED: 'DISABLED PAYMENT', SUCCEEDED: 'ACTIVE null' },
    DISABLED: { FAILED: 'DISABLED MANUAL', SUCCEEDED: 'DISABLED MANUAL' },
    UNPAID: { FAILED: 'DISABLED PAYMENT', SUCCEEDED: 'ACTIVE null' },
    CANCELLED: { FAILED: 'PRODUCT_KEY_ENDED', SUCCEEDED: 'PRODUCT_KEY_ENDED' },
    EXPIRED: { FAILED: 'PRODUCT_KEY_ENDED', SUCCEEDED: 'PRODUCT_KEY_ENDED' },
  };
  for (const from of [...STATUSES, 'UNPAID'] as const) {
    for (const result of ['FAILED', 'SUCCEEDED'] as const) {
      api.setNow(day(0));
      const productKeyId = await keyIn(live, productId, from);
      const paid = { amount: '1', currencyCode: 'USD', periodStart: day(0), periodEnd: day(30) };
      const input = { productKeyId, externalPaymentId: `${from} ${result}`, result, ...paid };
      const { productKey, userErrors } = await callProductKey(api, live, 'recordPaymentResult', input);
      const found = productKey ? `${productKey.status} ${productKey.disabledBy}` : userErrors[0].code;
      expect([from, result, found]).toEqual([from, result, expected[from][result]]);
    }
  }
  api.setNow(null);
});

test('disabling and enabling: what the clock gives, reasons, notices and versions', async () => {
  api.setNow(day(0));
  const { live } = await newBusiness(api);
  const productId = await newProduct(api, live, { trialDays: 7 });
  const id = await newProductKey(api, live, { productIds: [productId], start: day(1) });
  const off = await callProductKey(api, live, 'disableProductKey', {
    productKeyId: id,
    reason: ' Abuse ',
    expectedVersion: 1,
  });
  expect(off).toEqual({
    productKey: expect.objectContaining({
      status: 'DISABLED',
      valid: false,
      version: 2,
      disabledAt: day(0),
      disabledBy: 'MANUAL',
      disabledReason: 'Abuse',
      updatedAt: day(0),
    }),
    userErrors: [],
  });
  for (const [at, status] of [
    [day(0), 'SCHEDULED'],
    [day(2), 'TRIALING'],
    [day(9), 'ACTIVE'],
  ] as const) {
    api.setNow(at);
    const on = await callProductKey(api, live, 'enableProductKey', { productKeyId: id });
    expect([
      on.productKey.status,
      on.productKey.disabledAt,
      on.productKey.disabledBy,
      on.productKey.disabledReason,
    ]).toEqual([...[status, null, null, null]]);
    await callProductKey(api, live, 'disableProductKey', { productKeyId: id });
  }
  const stale = await callProductKey(api, live, 'enableProductKey', { productKeyId: id, expectedVersion: 1 });
  expect(codes(stale)).toEqual(['STALE_OBJECT']);
  const mails = await api.db.sql<{ template: string }>(
    null,
    'SELECT template FROM deliveries WHERE product_key_id = $1',
    [rowId(id)],
  );
  expect(mails.map(({ template }) => template)).toEqual(Array(4).fill('product-key-disabled'));
  const history = (await changesOf(api, id)).find(({ type }) => type === 'product_key.disabled');
  expect([history?.reason, history?.before, history?.after]).toEqual([
    'Abuse',
    { status: 'SCHEDULED', disabledAt: null, disabledBy: null, disabledReason: null },
    { status: 'DISABLED', disabledAt: day(0), disabledBy: 'MANUAL', disabledReason: 'Abuse' },
  ]);
  const long = await callProductKey(api, live, 'enableProductKey', { productKeyId: id, reason: 'x'.repeat(2001) });
  expect(codes(long)).toEqual(['INVALID_INPUT']);
  api.setNow(null);
});

test('of many at once one disables, one enables, one cancels', async () => {
  const { live } = await newBusiness(api);
  const id = await newProductKey(api, live);
  for (const name of ['disableProductKey', 'enableProductKey', 'cancelProductKey']) {
    const made = await Promise.all(
      Array.from({ length: 8 }, () => callProductKey(api, live, name, { productKeyId: id })),
    );
    expect([name, made.flatMap(codes)]).toEqual([name, Array(7).fill('ILLEGAL_PRODUCT_KEY_TRANSITION')]);
  }
  expect(await typesOf(id)).toEqual(['created', 'disabled', 'enabled', 'cancelled', 'period_closed']);
});

test("another tenant's, the other mode's and no key at all; sessions may read only", async () => {
  const [mine, theirs] = [await newBusiness(api), await newBusiness(api)];
  const customerId = await newCustomer(api, mine.live);
  const id = await newProductKey(api, mine.live, { owner: customerId });
  const inputs = {
    disableProductKey: {},
    enableProductKey: {},
    cancelProductKey: {},
    rotateProductKey: {},
    updateProductKey: {},
    recordPaymentResult: { externalPaymentId: 'p', result: 'FAILED' },
    withdrawProductKeyCancellation: {},
    transferProductKey: { owner: customerId },
  };
  const session = await newSession(api, mine.live, customerId);
  const reader = await newApiKey(api, mine.live, ['PRODUCT_KEYS_READ', 'USAGE_WRITE', 'CUSTOMERS_READ']);
  const url = await newBrandUrl(api, mine.live);
  for (const [name, more] of Object.entries(inputs)) {
    for (const [token, productKeyId, code] of [
      [theirs.live, id, 'PRODUCT_KEY_NOT_FOUND'],
      [mine.test, id, 'MODE_MISMATCH'],
      [mine.live, 'pk_x', 'PRODUCT_KEY_NOT_FOUND'],
    ] as const) {
      const payload = await callProductKey(api, token, name, { productKeyId, ...more });
      expect([name, codes(payload), payload.productKey]).toEqual([name, [code], null]);
    }
    for (const token of [session, reader])
      await expect(callProductKey(api, token, name, { productKeyId: id, ...more })).rejects.toThrow('FORBIDDEN');
    const other = await callProductKey(api, mine.live, name, { productKeyId: id, ...more }, '', { 'brand-url': url });
    expect([name, codes(other), other.userErrors[0].path]).toEqual([
      ...[name, ['BRAND_MISMATCH'], ['input', 'productKeyId']],
    ]);
  }
  expect(await typesOf(id)).toEqual(['created']);
});

test('the rule of the clock, at every edge', () => {
  const at = (n: number) => new Date(n * 1_000);
  const life = {
    startsAt: at(10),
    trialEndsAt: at(20),
    trialNoticeAt: null,
    trialNotifiedAt: null,
    expiresAt: null,
    cancelAt: null,
  };
  const stored = (status: (typeof STATUSES)[number], more = {}) => ({ ...life, status, ...more });
  expect([9, 10, 19, 20].map((n) => byClock(life, at(n)))).toEqual(['SCHEDULED', 'TRIALING', 'TRIALING', 'ACTIVE']);
  expect([9, 10, 20].map((n) => statusOf(stored('SCHEDULED'), at(n)))).toEqual(['SCHEDULED', 'TRIALING', 'ACTIVE']);
  expect([9, 10, 20].map((n) => statusOf(stored('TRIALING'), at(n)))).toEqual(['TRIALING', 'TRIALING', 'ACTIVE']);
  expect(statusOf(stored('ACTIVE'), at(9))).toBe('ACTIVE');
  expect([29, 30].map((n) => statusOf(stored('DISABLED', { expiresAt: at(30) }), at(n)))).toEqual([
    'DISABLED',
    'EXPIRED',
  ]);
  expect(statusOf(stored('ACTIVE', { expiresAt: at(30), cancelAt: at(30) }), at(31))).toBe('CANCELLED');
  expect(statusOf(stored('ACTIVE', { expiresAt: at(29), cancelAt: at(30) }), at(31))).toBe('EXPIRED');
  expect(statusOf(stored('ACTIVE', { expiresAt: at(30), cancelAt: at(29) }), at(31))).toBe('CANCELLED');
});
