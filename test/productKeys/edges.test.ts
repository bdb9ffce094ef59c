import { beforeAll, expect, test } from '@jest/globals';
import { renderMail } from '../../src/mail/templates.js';
import { trialExpiringMail } from '../../src/productKeys/productKeyMail.js';
import { useApi } from '../support/api.js';
import { newBusiness, newCustomer } from '../support/business.js';
import { newProduct } from '../support/catalog.js';
import { changesOf, rowId } from '../support/licenses.js';
import { callProductKey, newApplication, newProductKey, productKeyInput } from '../support/productKeys.js';
import { callUsage, newUsedKey } from '../support/usage.js';

// What stands at an edge: two rules at once, one instant for two events, a person who is gone.

const api = useApi();
const day = (n: number) => new Date(Date.parse('2026-03-01T00:00:00Z') + n * 86_400_000).toISOString();
let live: string;

beforeAll(async () => {
  api.setNow(day(0));
  ({ live } = await newBusiness(api));
});

type Fields = Record<string, unknown>;
const codes = (payload: any) => payload.userErrors.map(({ code, path }: any) => `${code} ${path.slice(1).join('.')}`);
const call = (name: string, productKeyId: string, more: Fields = {}) =>
  callProductKey(api, live, name, { productKeyId, ...more });
const typesOf = async (id: string) => (await changesOf(api, id)).map(({ type }) => type.replace('product_key.', ''));
const payment = (externalPaymentId: string, from: number, until: number, more: Fields = {}) => ({
  ...{
    externalPaymentId,
    result: 'SUCCEEDED',
    amount: '30',
    currencyCode: 'USD',
    periodStart: day(from),
    periodEnd: day(until),
  },
  ...more,
});
const pay = (id: string, ...given: Parameters<typeof payment>) => call('recordPaymentResult', id, payment(...given));
const erase = (customerId: string) =>
  api.data({
    token: live,
    query: 'mutation ($input: EraseCustomerInput!) { eraseCustomer(input: $input) { userErrors { code } } }',
    variables: { input: { customerId } },
  });

test('who switches off by hand what a payment disabled keeps it off when it is paid', async () => {
  const id = await newProductKey(api, live, { disableOnPaymentFailed: true });
  await pay(id, 'hand', 0, 30, { result: 'FAILED', reason: 'Card expired' });
  const taken = await call('disableProductKey', id, { reason: 'Abuse' });
  expect([taken.userErrors, taken.productKey]).toEqual([
    [],
    expect.objectContaining({ status: 'DISABLED', disabledBy: 'MANUAL', disabledReason: 'Abuse' }),
  ]);
  expect((await pay(id, 'hand', 0, 30)).productKey).toMatchObject({ status: 'DISABLED', disabledBy: 'MANUAL' });
  expect(codes(await call('disableProductKey', id))).toEqual(['ILLEGAL_PRODUCT_KEY_TRANSITION productKeyId']);
  expect(await typesOf(id)).toEqual([...['created', 'payment_failed', 'disabled', 'disabled', 'payment_succeeded']]);
});

test('a scheduled cancellation waits for the end of what is paid for meanwhile', async () => {
  const id = await newProductKey(api, live);
  await pay(id, 'wait 1', 0, 30);
  await call('cancelProductKey', id);
  expect((await pay(id, 'wait 2', 30, 60)).productKey).toMatchObject({ status: 'ACTIVE', cancelAt: day(60) });
  expect((await pay(id, 'wait 0', 0, 20)).productKey.cancelAt).toBe(day(60));
  expect((await pay(id, 'wait 3', 60, 90, { result: 'FAILED' })).productKey.cancelAt).toBe(day(60));
  expect(await typesOf(id)).toEqual([
    ...['created', 'payment_succeeded', 'cancellation_scheduled', 'payment_succeeded', 'cancellation_scheduled'],
    ...['payment_succeeded', 'payment_failed'],
  ]);
});

test('a failed payment for a time after the end that is coming takes nothing away before it', async () => {
  const strict = { disableOnPaymentFailed: true };
  const [cancelled, expiring, going] = [
    await newProductKey(api, live, strict),
    await newProductKey(api, live, { ...strict, expiration: day(30) }),
    await newProductKey(api, live, { ...strict, expiration: new Date(Date.parse(day(30)) + 1).toISOString() }),
  ];
  for (const id of [cancelled, expiring, going]) await pay(id, `end ${id}`, 0, 30);
  await call('cancelProductKey', cancelled);
  const after = [];
  for (const id of [cancelled, expiring, going]) {
    after.push((await pay(id, `next ${id}`, 30, 60, { result: 'FAILED' })).productKey.status);
  }
  expect(after).toEqual(['ACTIVE', 'ACTIVE', 'DISABLED']);
});

test('an archived application is not named newly by its external id either; who names it already keeps it', async () => {
  const applicationId = await newApplication(api, live, { externalId: 'old-gw' });
  const kept = await newProductKey(api, live, { applicationExternalId: 'old-gw' });
  const other = await newProductKey(api, live);
  await api.data({
    token: live,
    query: 'mutation ($input: ArchiveApplicationInput!) { archiveApplication(input: $input) { userErrors { code } } }',
    variables: { input: { applicationId } },
  });
  const input = await productKeyInput(api, live, { applicationExternalId: 'old-gw' });
  const made = await callProductKey(api, live, 'createProductKey', input);
  const refused = ['APPLICATION_ARCHIVED applicationExternalId'];
  expect([codes(made), codes(await call('updateProductKey', other, { applicationExternalId: 'old-gw' }))]).toEqual([
    ...[refused, refused],
  ]);
  expect(codes(await call('updateProductKey', kept, { applicationExternalId: 'old-gw' }))).toEqual([]);
});

test('about an erased owner nothing more is noted, and the key still works, is paid and gives back', async () => {
  const owner = await newCustomer(api, live, { email: 'gone@example.com' });
  const fields = { owner, disableOnPaymentFailed: true, allowMidPeriodCancellation: true };
  const id = await newProductKey(api, live, fields);
  await erase(owner);
  for (const name of ['disableProductKey', 'rotateProductKey', 'cancelProductKey', 'transferProductKey']) {
    const more = name === 'transferProductKey' ? { owner: await newCustomer(api, live) } : {};
    expect([name, codes(await call(name, id, { reason: 'She left', ...more }))]).toEqual([
      name,
      ['CUSTOMER_ERASED reason'],
    ]);
  }
  const failed = await pay(id, 'gone', 0, 30, { result: 'FAILED', reason: 'Card of Erika expired' });
  expect(failed.productKey).toMatchObject({ status: 'DISABLED', disabledReason: null });
  expect(codes(await call('enableProductKey', id, { reason: 'x' }))).toEqual(['CUSTOMER_ERASED reason']);
  await callUsage(api, live, 'recordUsage', { productKeyId: id, amount: 1 });
  expect((await pay(id, 'gone', 0, 30)).productKey.status).toBe('ACTIVE');
  expect((await changesOf(api, id)).filter(({ reason }) => reason !== null)).toEqual([]);
  const entries = 'ledgerEntries { amount { amount } }';
  const cancelled = await callProductKey(api, live, 'cancelProductKey', { productKeyId: id, at: 'NOW' }, entries);
  expect([codes(cancelled), cancelled.ledgerEntries]).toEqual([[], [{ amount: { amount: '30.00' } }]]);
});

test("the mail before a trial's end tells whether the key goes on after it", async () => {
  const productIds = [await newProduct(api, live, { trialDays: 10 })];
  const [on, cancelled, expiring] = [
    await newProductKey(api, live, { productIds }),
    await newProductKey(api, live, { productIds }),
    await newProductKey(api, live, { productIds, expiration: day(10) }),
  ];
  await call('cancelProductKey', cancelled);
  const textOf = async (id: string) => {
    const [row] = await api.db.sql<{ businessId: string }>(
      null,
      `SELECT business_id AS "businessId", mode, id AS "productKeyId" FROM product_keys WHERE id = $1`,
      [rowId(id)],
    );
    const mail = await trialExpiringMail(api.db, row as never, api.now());
    return mail && renderMail('product-key-trial-expiring', mail).text;
  };
  const goesOn = 'ends at 2026-03-11 00:00 UTC. It goes on as a paid subscription then.';
  const ends = 'ends at 2026-03-11 00:00 UTC, and the product key ends with it.';
  expect(await textOf(on)).toContain(goesOn);
  for (const id of [cancelled, expiring]) expect(await textOf(id)).toContain(ends);
});

test('a quota or threshold that is lowered below what is used exceeds the threshold: it is told, once', async () => {
  const over = { notificationAddressesOnQuotaThreshold: ['ops@edges.example'], quotaNotificationThreshold: 80 };
  const told = async (id: string) => {
    const query = 'query ($id: ID!) { productKey(id: $id) { deliveries { recipient template } version } }';
    const { productKey } = await api.data({ token: live, query, variables: { id } });
    return [
      productKey.deliveries.length,
      (await typesOf(id)).filter((type) => type === 'quota_threshold_exceeded').length,
    ];
  };
  const lowered = await newUsedKey(api, live, { ...over, quota: 100 });
  await callUsage(api, live, 'recordUsage', { productKeyId: lowered.id, amount: 60 });
  await call('updateProductKey', lowered.id, { quota: 75 });
  expect(await told(lowered.id)).toEqual([0, 0]);
  const payload = await call('updateProductKey', lowered.id, { quota: 50 });
  expect([await told(lowered.id), payload.productKey.version]).toEqual([[1, 1], 5]);
  await call('updateProductKey', lowered.id, { quota: 49, quotaNotificationThreshold: 10 });
  expect(await told(lowered.id)).toEqual([1, 1]);
  const closer = await newUsedKey(api, live, { ...over, quota: 100, consumedQuota: 60 });
  await call('updateProductKey', closer.id, { quotaNotificationThreshold: '59.999' });
  expect(await told(closer.id)).toEqual([1, 1]);
  const update = (await changesOf(api, closer.id)).find(({ type }) => type === 'product_key.updated');
  expect([update?.before, update?.after]).toEqual([
    { quotaNotificationThreshold: '80' },
    { quotaNotificationThreshold: '59.999' },
  ]);
});

test('addresses are one person’s in whatever case and composition of Unicode', async () => {
  const productIds = [await newProduct(api, live, { sku: 'EDGE', audience: 'NAMED' })];
  const composed = 'ÉRIKA.straße@example.com';
  const fields = {
    productIds,
    namedConsumers: [composed, composed.normalize('NFD').toLowerCase(), 'İ@example.com', 'i@example.com'],
  };
  const made = await callProductKey(
    api,
    live,
    'createProductKey',
    await productKeyInput(api, live, fields),
    'productKey { key namedConsumers }',
  );
  expect([codes(made), made.productKey.namedConsumers[0]]).toEqual([[], composed]);
  const ask = async (consumerEmail: string) => {
    const query = `query ($key: String!, $consumerEmail: String) { productKeyAccess(key: $key, productSku: "EDGE", consumerEmail: $consumerEmail) { allowed } }`;
    const variables = { key: made.productKey.key, consumerEmail };
    return (await api.data({ token: live, query, variables })).productKeyAccess.allowed;
  };
  for (const address of [composed, composed.toLowerCase(), composed.normalize('NFD'), 'İ@example.com', 'I@example.com'])
    expect([address, await ask(address)]).toEqual([address, true]);
  expect(await ask('érika.strasse@example.com')).toBe(false);
});

test('a start does not move behind the begin of what is paid for: it would be paid and not had', async () => {
  const id = await newProductKey(api, live, { start: day(3) });
  await pay(id, 'ahead', 5, 35);
  const start = async (n: number) => codes(await call('updateProductKey', id, { start: day(n) }));
  expect(await start(5.1)).toEqual(['INVALID_INPUT start']);
  expect([await start(5), await start(2)]).toEqual([[], []]);
});

test('of a key that was rotated twice, each text works until its own grace is over', async () => {
  const { id, key: first } = await newUsedKey(api, live);
  const textOf = async () =>
    (await api.data({ token: live, query: 'query ($id: ID!) { productKey(id: $id) { key } }', variables: { id } }))
      .productKey.key;
  await call('rotateProductKey', id, { graceUntil: day(2) });
  const second = await textOf();
  await call('rotateProductKey', id, { graceUntil: day(1) });
  const texts = [first, second, await textOf()];
  const seen: unknown[] = [];
  for (const at of [day(0), day(1), day(2)]) {
    api.setNow(at);
    const { data } = await callUsage(api, live, 'recordUsages', { rows: texts.map((key) => ({ key, amount: 1 })) });
    const batch = data.recordUsages.results.map(({ userErrors }: any) => userErrors.length === 0);
    const single = await Promise.all(texts.map((key) => callUsage(api, live, 'recordUsage', { key, amount: 1 })));
    expect(single.map((answer) => answer.data.recordUsage.userErrors.length === 0)).toEqual(batch);
    const graces = await Promise.all(texts.map((key) => graceOf(key)));
    seen.push([batch, graces]);
  }
  expect(seen).toEqual([
    [
      [true, true, true],
      [day(2), day(1), null],
    ],
    [
      [true, false, true],
      [day(2), day(1), null],
    ],
    [
      [false, false, true],
      [day(2), day(1), null],
    ],
  ]);
  api.setNow(day(0));

  async function graceOf(key: string): Promise<string | null> {
    const query =
      'query ($key: String!) { productKeyAccess(key: $key, productSku: "x") { graceUntil reasons { code } } }';
    const { productKeyAccess } = await api.data({ token: live, query, variables: { key } });
    const isOver = productKeyAccess.graceUntil !== null && new Date(productKeyAccess.graceUntil) <= api.now();
    expect(productKeyAccess.reasons.some(({ code }: any) => code === 'KEY_REPLACED')).toBe(isOver);
    return productKeyAccess.graceUntil;
  }
});

test('of two things that come true at one instant, each is told once and readers and writers agree', async () => {
  const productIds = [await newProduct(api, live, { trialDays: 10 })];
  const both = await newProductKey(api, live, { productIds, expiration: day(10) });
  const cancelled = await newProductKey(api, live, { productIds, expiration: day(10) });
  await call('cancelProductKey', cancelled);
  const status = async (id: string) =>
    (await api.data({ token: live, query: 'query ($id: ID!) { productKey(id: $id) { status } }', variables: { id } }))
      .productKey.status;
  api.setNow(day(10));
  for (const [id, ended] of [
    [both, 'EXPIRED'],
    [cancelled, 'CANCELLED'],
  ] as const) {
    expect(await status(id)).toBe(ended);
    expect(codes(await call('enableProductKey', id))).toEqual(['ILLEGAL_PRODUCT_KEY_TRANSITION productKeyId']);
    expect(codes(await call('withdrawProductKeyCancellation', id))).toEqual(['PRODUCT_KEY_ENDED productKeyId']);
  }
  const now = await newProductKey(api, live, {
    start: day(10),
    expiration: new Date(Date.parse(day(10)) + 1).toISOString(),
  });
  expect(await status(now)).toBe('ACTIVE');
  api.setNow(day(0));
});
