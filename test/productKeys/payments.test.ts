import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { creditsOf, unusedCredit } from '../../src/productKeys/unusedCredit.js';
import { useApi } from '../support/api.js';
import { newBusiness, newCustomer } from '../support/business.js';
import { newProduct } from '../support/catalog.js';
import { changesOf } from '../support/licenses.js';
import { callProductKey, newProductKey } from '../support/productKeys.js';
import { balanceOf, newWallet } from '../support/wallets.js';

const api = useApi();
const day = (n: number) => new Date(Date.parse('2026-03-01T00:00:00Z') + n * 86_400_000).toISOString();
const payment =
  'payment { externalPaymentId result amount { amount currencyCode minorUnits } periodStart periodEnd createdAt }';
const codes = (payload: any) => payload.userErrors.map(({ code }: { code: string }) => code);
const typesOf = async (id: string) => (await changesOf(api, id)).map(({ type }) => type.replace('product_key.', ''));

const pay = (token: string, productKeyId: string, more: Record<string, unknown>) =>
  callProductKey(api, token, 'recordPaymentResult', { productKeyId, ...more }, payment);
const cancel = (token: string, productKeyId: string, more: Record<string, unknown> = {}) =>
  callProductKey(
    api,
    token,
    'cancelProductKey',
    { productKeyId, ...more },
    'ledgerEntries { amount { amount currencyCode } }',
  );
const success = (externalPaymentId: string, from: number, until: number, more = {}) => ({
  externalPaymentId,
  result: 'SUCCEEDED',
  amount: '30.00',
  currencyCode: 'USD',
  periodStart: day(from),
  periodEnd: day(until),
  ...more,
});

test('a success is recorded with its amount and period; told again it changes nothing', async () => {
  api.setNow(day(0));
  const { live } = await newBusiness(api);
  const id = await newProductKey(api, live);
  const first = await pay(live, id, success('pay_1', 0, 30));
  expect(first).toEqual({
    productKey: expect.objectContaining({ id, status: 'ACTIVE', version: 2 }),
    payment: {
      externalPaymentId: 'pay_1',
      result: 'SUCCEEDED',
      amount: { amount: '30.00', currencyCode: 'USD', minorUnits: '3000' },
      periodStart: day(0),
      periodEnd: day(30),
      createdAt: day(0),
    },
    userErrors: [],
  });
  api.setNow(day(1));
  const { periodStart: _s, periodEnd: _e, ...bare } = success('pay_1', 0, 30);
  const again = await Promise.all([pay(live, id, success('pay_1', 0, 30)), pay(live, id, bare)]);
  expect(again.map(({ payment, productKey }) => [payment, productKey.version])).toEqual(
    Array(2).fill([first.payment, 2]),
  );
  const many = await Promise.all(Array.from({ length: 8 }, () => pay(live, id, success('pay_2', 30, 60))));
  expect([many.flatMap(codes), new Set(many.map(({ productKey }) => productKey.version)).size]).toEqual([[], 1]);
  expect(await typesOf(id)).toEqual(['created', 'payment_succeeded', 'payment_succeeded']);
  const data = await api.data({
    token: live,
    query: 'query ($id: ID!) { productKey(id: $id) { payments { externalPaymentId } } }',
    variables: { id },
  });
  expect(data.productKey.payments.map(({ externalPaymentId }: any) => externalPaymentId)).toEqual(['pay_2', 'pay_1']);
  const monthly = await newProductKey(api, live, {
    productIds: [await newProduct(api, live, { quotaPeriod: 'MONTH' })],
  });
  const present = await pay(live, monthly, { ...bare, externalPaymentId: 'pay_3' });
  expect([present.payment.periodStart, present.payment.periodEnd]).toEqual([day(1), '2026-04-02T00:00:00.000Z']);
  api.setNow(null);
});

test('a failure disables where the key says so, a success undoes that and nothing else', async () => {
  api.setNow(day(0));
  const { live } = await newBusiness(api);
  const fields = { disableOnPaymentFailed: true };
  const [strict, lenient, byHand, scheduled] = [
    await newProductKey(api, live, fields),
    await newProductKey(api, live),
    await newProductKey(api, live, { ...fields, valid: false }),
    await newProductKey(api, live, { ...fields, start: day(3) }),
  ];
  const failure = (externalPaymentId: string) => ({ externalPaymentId, result: 'FAILED', reason: 'Card expired' });
  const failed = await pay(live, strict, failure('s1'));
  expect([failed.productKey.status, failed.productKey.disabledBy, failed.productKey.disabledReason]).toEqual([
    ...['DISABLED', 'PAYMENT', 'Card expired'],
  ]);
  expect([failed.payment.amount, failed.payment.periodStart, failed.productKey.version]).toEqual([null, null, 3]);
  expect((await pay(live, strict, failure('s1'))).productKey.version).toBe(3);
  expect((await pay(live, lenient, failure('l1'))).productKey.status).toBe('ACTIVE');
  expect((await pay(live, byHand, failure('h1'))).productKey.disabledBy).toBe('MANUAL');
  expect((await pay(live, scheduled, failure('c1'))).productKey.status).toBe('DISABLED');
  const paid = await pay(live, strict, success('s1', 0, 30));
  expect([paid.productKey.status, paid.productKey.disabledBy, codes(paid)]).toEqual(['ACTIVE', null, []]);
  expect((await pay(live, byHand, success('h1', 0, 30))).productKey.status).toBe('DISABLED');
  expect((await pay(live, scheduled, success('c2', 0, 30))).productKey.status).toBe('SCHEDULED');
  expect(await typesOf(strict)).toEqual(['created', 'payment_failed', 'disabled', 'payment_succeeded', 'enabled']);
  // A failure that arrives after another payment of its period came in takes nothing away.
  const late = await pay(live, strict, { ...failure('s0'), periodStart: day(0), periodEnd: day(30) });
  expect([late.productKey.status, late.payment.result]).toEqual(['ACTIVE', 'FAILED']);
  const next = await pay(live, strict, { ...failure('s3'), periodStart: day(30), periodEnd: day(60) });
  expect(next.productKey.status).toBe('DISABLED');
  const mails = await api.db.sql(null, "SELECT 1 AS one FROM deliveries WHERE template = 'product-key-disabled'", []);
  expect(mails).toHaveLength(3);
  api.setNow(null);
});

test('a payment that contradicts itself or what was recorded is refused', async () => {
  api.setNow(day(0));
  const { live } = await newBusiness(api);
  const [id, other] = [await newProductKey(api, live), await newProductKey(api, live)];
  await pay(live, id, success('p', 0, 30));
  const before = (await changesOf(api, id)).length;
  const refused = async (key: string, more: Record<string, unknown>) =>
    (await pay(live, key, more)).userErrors.map(({ code, path, recorded }: any) => [
      code,
      path.slice(1).join('.'),
      recorded,
    ]);
  const conflict = [['PAYMENT_CONFLICT', 'externalPaymentId', 'SUCCEEDED']];
  expect(await refused(id, { externalPaymentId: 'p', result: 'FAILED' })).toEqual(conflict);
  expect(await refused(id, success('p', 0, 30, { amount: '30.01' }))).toEqual(conflict);
  expect(await refused(id, success('p', 0, 31))).toEqual(conflict);
  expect(await refused(other, success('p', 0, 30))).toEqual(conflict);
  expect(await refused(id, { externalPaymentId: ' ', result: 'SUCCEEDED', periodStart: day(1) })).toEqual([
    ['INVALID_INPUT', 'externalPaymentId', undefined],
    ['INVALID_INPUT', 'periodEnd', undefined],
    ['INVALID_INPUT', 'amount', undefined],
  ]);
  expect(await refused(id, success('q', 2, 1))).toEqual([['INVALID_INPUT', 'periodEnd', undefined]]);
  expect(await refused(id, success('q', 1, 2, { amount: '1.001' }))).toEqual([['INVALID_AMOUNT', 'amount', undefined]]);
  expect(await refused(id, success('q', 1, 2, { currencyCode: 'XYZ' }))).toEqual([
    ['INVALID_CURRENCY', 'currencyCode', undefined],
  ]);
  const bare = { externalPaymentId: 'q', result: 'SUCCEEDED', amount: '1', currencyCode: 'USD' };
  expect(await refused(id, bare)).toEqual([['INVALID_INPUT', 'periodStart', undefined]]);
  expect((await changesOf(api, id)).length).toBe(before);
  const raced = await Promise.all([id, other, id, other].map((key) => pay(live, key, success('race', 0, 30))));
  expect(raced.flatMap(codes).filter((code) => code === 'PAYMENT_CONFLICT').length).toBe(2);
  await expect(api.db.sql(null, "UPDATE product_key_payments SET result = 'FAILED'", [])).rejects.toThrow(
    'append-only',
  );
  api.setNow(null);
});

test('at once: what was paid and is not used goes to the wallet, rounded down; nothing for a trial or what was not paid', async () => {
  api.setNow(day(0));
  const { live } = await newBusiness(api);
  const customerId = await newCustomer(api, live);
  const walletId = await newWallet(api, live, { customerId });
  const fields = { owner: customerId, allowMidPeriodCancellation: true };
  const id = await newProductKey(api, live, fields);
  await pay(live, id, success('p1', 0, 30, { amount: '10.00' }));
  api.setNow(day(10));
  const cancelled = await cancel(live, id, { at: 'NOW' });
  expect([cancelled.productKey.status, cancelled.productKey.cancelledAt, cancelled.productKey.cancelAt]).toEqual([
    ...['CANCELLED', day(10), day(10)],
  ]);
  expect(cancelled.ledgerEntries).toEqual([{ amount: { amount: '6.66', currencyCode: 'USD' } }]);
  expect(await balanceOf(api, live, walletId)).toBe(666n);
  expect(await typesOf(id)).toEqual(['created', 'payment_succeeded', 'cancelled', 'period_closed']);
  const unpaid = await newProductKey(api, live, fields);
  expect((await cancel(live, unpaid, { at: 'NOW' })).ledgerEntries).toEqual([]);
  const trial = await newProductKey(api, live, {
    ...fields,
    productIds: [await newProduct(api, live, { trialDays: 5 })],
    start: day(10),
  });
  await pay(live, trial, success('p2', 10, 40));
  await pay(live, trial, success('p3', 15, 45, { amount: '5.00' }));
  expect((await cancel(live, trial, { at: 'NOW' })).ledgerEntries).toEqual([
    { amount: { amount: '5.00', currencyCode: 'USD' } },
  ]);
  const scheduled = await newProductKey(api, live, { owner: customerId, start: day(20) });
  await pay(live, scheduled, success('p4', 20, 50));
  await pay(live, scheduled, success('p5', 20, 50, { amount: '700', currencyCode: 'JPY' }));
  const whole = await cancel(live, scheduled);
  expect([
    whole.productKey.status,
    whole.ledgerEntries.map(({ amount }: any) => `${amount.amount} ${amount.currencyCode}`),
  ]).toEqual([...['CANCELLED', ['700 JPY', '30.00 USD']]]);
  const { customer } = await api.data({
    token: live,
    query: 'query ($id: ID!) { customer(id: $id) { wallets { nodes { balance { amount currencyCode } isDefault } } } }',
    variables: { id: customerId },
  });
  expect(
    customer.wallets.nodes
      .map(({ balance, isDefault }: any) => [balance.amount, balance.currencyCode, isDefault])
      .sort(),
  ).toEqual([
    ['41.66', 'USD', true],
    ['700', 'JPY', true],
  ]);
  api.setNow(null);
});

test('for the end of the period: what was paid, else the trial, else the period of the quota; then the worker ends it', async () => {
  api.setNow(day(0));
  const { live } = await newBusiness(api);
  const monthly = await newProduct(api, live, { quotaPeriod: 'MONTH' });
  const tried = await newProduct(api, live, { trialDays: 5 });
  const paid = await newProductKey(api, live, { productIds: [monthly] });
  await pay(live, paid, success('p1', 0, 30));
  await pay(live, paid, success('p2', 30, 60));
  const rows: [string, string][] = [
    [paid, day(60)],
    [await newProductKey(api, live, { productIds: [tried, monthly] }), day(5)],
    [await newProductKey(api, live, { productIds: [monthly] }), '2026-04-01T00:00:00.000Z'],
  ];
  for (const [id, end] of rows) {
    const mid = await cancel(live, id, { at: 'NOW' });
    expect(mid.userErrors.map(({ code, path, periodEnd }: any) => [code, path, periodEnd])).toEqual([
      ['MID_PERIOD_CANCELLATION_NOT_ALLOWED', ['input', 'at'], end],
    ]);
    const { productKey, ledgerEntries, userErrors } = await cancel(live, id);
    expect([productKey.status, productKey.cancelAt, productKey.cancelledAt, ledgerEntries, userErrors]).toEqual([
      ...[expect.stringMatching(/ACTIVE|TRIALING/), end, null, [], []],
    ]);
    const again = await cancel(live, id);
    expect([again.productKey.version, again.userErrors]).toEqual([productKey.version, []]);
    api.setNow(end);
    const key = await api.data({
      token: live,
      query: 'query ($id: ID!) { productKey(id: $id) { status valid cancelledAt } }',
      variables: { id },
    });
    expect(key.productKey).toEqual({ status: 'CANCELLED', valid: false, cancelledAt: end });
    expect(codes(await cancel(live, id))).toEqual(['ILLEGAL_PRODUCT_KEY_TRANSITION']);
    api.setNow(day(0));
  }
  api.setNow(null);
});

test('a cancellation for the end of the period can be withdrawn until then: the key goes on after it', async () => {
  api.setNow(day(0));
  const { live } = await newBusiness(api);
  const monthly = await newProduct(api, live, { quotaPeriod: 'MONTH' });
  const id = await newProductKey(api, live, { productIds: [monthly] });
  const withdraw = (more = {}) =>
    callProductKey(api, live, 'withdrawProductKeyCancellation', { productKeyId: id, ...more });
  const refused = async (more = {}) => codes(await withdraw(more));
  expect((await withdraw()).userErrors).toMatchObject([{ code: 'NOTHING_PENDING', path: ['input', 'productKeyId'] }]);
  await cancel(live, id);
  expect(await refused({ expectedVersion: 1 })).toEqual(['STALE_OBJECT']);
  expect(await refused({ reason: 'x'.repeat(2001) })).toEqual(['INVALID_INPUT']);
  expect(await typesOf(id)).toEqual(['created', 'cancellation_scheduled']);
  api.setNow(day(1));
  expect(await withdraw({ reason: ' Stays ', expectedVersion: 2, idempotencyKey: 'w' })).toEqual({
    productKey: expect.objectContaining({ id, status: 'ACTIVE', cancelAt: null, version: 3, updatedAt: day(1) }),
    userErrors: [],
  });
  const change = (await changesOf(api, id)).at(-1);
  expect([change?.type, change?.reason, change?.before, change?.after]).toEqual([
    ...['product_key.cancellation_withdrawn', 'Stays', { cancelAt: '2026-04-01T00:00:00.000Z' }, { cancelAt: null }],
  ]);
  expect((await withdraw({ reason: ' Stays ', expectedVersion: 2, idempotencyKey: 'w' })).productKey.version).toBe(3);
  await cancel(live, id);
  const raced = await Promise.all(Array.from({ length: 6 }, () => refused()));
  expect(raced.flat()).toEqual(Array(5).fill('NOTHING_PENDING'));
  await cancel(live, id);
  api.setNow('2026-04-01T00:00:00.000Z');
  expect((await withdraw()).userErrors).toMatchObject([{ code: 'PRODUCT_KEY_ENDED', endedAs: 'CANCELLED' }]);
  api.setNow(null);
});

test("the wallet is the owner's, in the payments' currency, and money moves once", async () => {
  api.setNow(day(0));
  const { live } = await newBusiness(api);
  const owner = await newCustomer(api, live);
  const id = await newProductKey(api, live, { owner, allowMidPeriodCancellation: true });
  await pay(live, id, success('p1', 0, 30));
  const euros = await newWallet(api, live, { customerId: owner, currencyCode: 'EUR' });
  const dollars = await newWallet(api, live, { customerId: owner, isDefault: false });
  for (const [walletId, code] of [
    [await newWallet(api, live), 'INVALID_INPUT'],
    [euros, 'CURRENCY_MISMATCH'],
    ['wal_x', 'WALLET_NOT_FOUND'],
  ] as const) {
    const payload = await cancel(live, id, { at: 'NOW', walletId });
    expect(payload.userErrors.map(({ code, path }: any) => [code, path])).toEqual([[code, ['input', 'walletId']]]);
  }
  expect(await typesOf(id)).toEqual(['created', 'payment_succeeded']);
  const made = await Promise.all(
    Array.from({ length: 8 }, () => cancel(live, id, { at: 'NOW', walletId: dollars, idempotencyKey: 'once' })),
  );
  expect(made.flatMap(codes)).toEqual([]);
  const raced = await Promise.all(Array.from({ length: 4 }, () => cancel(live, id, { at: 'NOW', walletId: dollars })));
  expect(raced.flatMap(codes)).toEqual(Array(4).fill('ILLEGAL_PRODUCT_KEY_TRANSITION'));
  expect(await balanceOf(api, live, dollars)).toBe(3_000n);
  api.setNow(null);
});

test('the unused part: exact to the minor unit, never more than was paid, and no cut of time gains by rounding', () => {
  const paid = fc.record({
    amountMinor: fc.bigInt(0n, 2n ** 53n),
    length: fc.integer({ min: 1, max: 400 * 86_400_000 }),
    cuts: fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 6 }),
  });
  fc.assert(
    fc.property(paid, ({ amountMinor, length, cuts }) => {
      const start = new Date(1_700_000_000_000);
      const end = new Date(start.getTime() + length);
      const period = { amountMinor, currency: 'USD', periodStartsAt: start, periodEndsAt: end };
      const at = (ms: number) => new Date(start.getTime() + ms);
      expect(unusedCredit(period, at(-1))).toBe(amountMinor);
      expect(unusedCredit(period, start)).toBe(amountMinor);
      expect(unusedCredit(period, end)).toBe(0n);
      let before = amountMinor;
      for (const ms of cuts.map((cut) => Math.floor(cut * length)).sort((a, b) => a - b)) {
        const credit = unusedCredit(period, at(ms));
        // Floored: the part that is kept and the part that is given are the whole.
        const exact = amountMinor * BigInt(length - ms);
        expect(credit * BigInt(length) <= exact && exact < (credit + 1n) * BigInt(length)).toBe(true);
        expect(credit <= before).toBe(true);
        before = credit;
      }
      expect(creditsOf([period, period], start, null).get('USD') ?? 0n).toBe(2n * amountMinor);
      expect(creditsOf([period], start, end).size).toBe(0);
    }),
    { numRuns: process.env.DEEP ? 5_000 : 300 },
  );
});
