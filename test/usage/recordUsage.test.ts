import { beforeAll, expect, test } from '@jest/globals';
import type { Delivery } from '../../src/generated/prisma/client.js';
import { renderMail } from '../../src/mail/templates.js';
import { quotaThresholdMail } from '../../src/productKeys/productKeyMail.js';
import { useApi } from '../support/api.js';
import { newApiKey, newBusiness, newCustomer, newSession, type TestBusiness } from '../support/business.js';
import { newProduct } from '../support/catalog.js';
import { callProductKey } from '../support/productKeys.js';
import { callUsage, countWrites, newUsedKey } from '../support/usage.js';

const api = useApi();
let business: TestBusiness;

beforeAll(async () => {
  business = await newBusiness(api);
});

const T0 = '2026-03-10T10:00:00.000Z';
const at = (instant: string) => api.setNow(instant);

async function record(input: Record<string, unknown>, token = business.live, headers = {}): Promise<any> {
  const answer = await callUsage(api, token, 'recordUsage', input, headers);
  // Of hundreds at once, one may wait too long for a connection when the machine is slow; as a client, it asks again.
  const isTurnedAway = answer.errors?.[0]?.extensions.code === 'UNAVAILABLE';
  if (isTurnedAway && input.idempotencyKey) return await record(input, token, headers);
  if (answer.errors) throw new Error(JSON.stringify(answer.errors));
  return answer.data.recordUsage;
}

async function meterOf(
  id: string,
  fields = 'consumedQuota remainingQuota overage',
  token = business.live,
): Promise<any> {
  const query = `query ($id: ID!) { productKey(id: $id) { ${fields} } }`;
  return (await api.data({ token, query, variables: { id } })).productKey;
}

const counts = () =>
  api.db.sql(
    null,
    `SELECT (SELECT sum(consumed) FROM product_key_meters) AS consumed, (SELECT count(*) FROM product_key_usages) AS usages,
      (SELECT count(*) FROM product_key_usage_hours) AS hours, (SELECT count(*) FROM changes) AS changes,
      (SELECT count(*) FROM deliveries) AS deliveries, (SELECT count(*) FROM product_key_statements) AS periods,
      (SELECT count(*) FROM idempotency_records) AS records`,
    [],
  );

test('a use is counted by id or text in one statement, with all that the payload tells, and stands in its hour and day', async () => {
  at(T0);
  const { id, key } = await newUsedKey(api, business.live, { quota: '100', consumedQuota: '10' });
  const query = `mutation ($input: RecordUsageInput!) { recordUsage(input: $input) {
    usage { productKeyId productKey { id consumedQuota remainingQuota valid } amount occurredAt consumedQuota quota remainingQuota overage periodStart periodEnd } userErrors { code } } }`;
  at('2026-03-10T11:30:00.000Z');
  const { recordUsage } = await api.data({
    token: business.live,
    query,
    variables: { input: { productKeyId: id, amount: 30, occurredAt: '2026-03-10T10:59:59.999Z' } },
  });
  expect(recordUsage).toEqual({
    usage: {
      productKeyId: id,
      productKey: { id, consumedQuota: '40', remainingQuota: '60', valid: true },
      amount: '30',
      occurredAt: '2026-03-10T10:59:59.999Z',
      consumedQuota: '40',
      quota: '100',
      remainingQuota: '60',
      overage: '0',
      periodStart: T0,
      periodEnd: null,
    },
    userErrors: [],
  });
  const input = { key: ` ${key.toLowerCase()} `, amount: '60', idempotencyKey: 'k' };
  const reads = await api.countStatements(async () => expect(await countWrites(api, () => record(input))).toBe(1));
  expect(reads).toBe(0);
  expect(await meterOf(id, 'consumedQuota remainingQuota overage valid')).toEqual({
    consumedQuota: '100',
    remainingQuota: '0',
    overage: '0',
    valid: false,
  });
  const { usage: hours } = await meterOf(
    id,
    'usage(from: "2026-03-10T10:15:00Z", to: "2026-03-10T12:00:00.001Z", resolution: HOUR) { start end amount corrected calls }',
  );
  expect(hours).toEqual([
    { start: '2026-03-10T10:00:00.000Z', end: '2026-03-10T11:00:00.000Z', amount: '30', corrected: '0', calls: '1' },
    { start: '2026-03-10T11:00:00.000Z', end: '2026-03-10T12:00:00.000Z', amount: '60', corrected: '0', calls: '1' },
    { start: '2026-03-10T12:00:00.000Z', end: '2026-03-10T13:00:00.000Z', amount: '0', corrected: '0', calls: '0' },
  ]);
  const { usage: days } = await meterOf(
    id,
    'usage(from: "2026-03-09T12:00:00Z", to: "2026-03-11T00:00:00Z") { start amount calls }',
  );
  expect(days).toEqual([
    { start: '2026-03-09T00:00:00.000Z', amount: '0', calls: '0' },
    { start: '2026-03-10T00:00:00.000Z', amount: '90', calls: '2' },
  ]);
  for (const window of [
    'from: "2026-03-10T10:00:00Z", to: "2026-03-10T10:00:00Z"',
    'from: "2025-01-01T00:00:00Z", to: "2026-03-01T00:00:00Z"',
  ]) {
    const answer = await api.call({
      token: business.live,
      query: `query ($id: ID!) { productKey(id: $id) { usage(${window}) { amount } } }`,
      variables: { id },
    });
    expect(answer.errors?.[0]?.extensions.code).toBe('BAD_USER_INPUT');
  }
});

test('each refusal says why and counts nothing; what is used up is refused with what is left, and metered where the key says so', async () => {
  at(T0);
  const own = (fields: Record<string, unknown> = {}) => newUsedKey(api, business.live, fields);
  const blocking = await own({ quota: 10, consumedQuota: 8 });
  const metered = await own({ quota: 10, consumedQuota: 8 });
  await callProductKey(api, business.live, 'updateProductKey', { productKeyId: metered.id, overQuota: 'METER' });
  const scheduled = await own({ start: '2026-03-11T00:00:00Z' });
  const expiring = await own({ expiration: '2026-03-10T12:00:00Z' });
  const disabled = await own({ valid: false });
  const cancelled = await own();
  await callProductKey(api, business.live, 'cancelProductKey', { productKeyId: cancelled.id });
  const rotated = await own();
  await callProductKey(api, business.live, 'rotateProductKey', {
    productKeyId: rotated.id,
    graceUntil: '2026-03-10T11:00:00Z',
  });
  expect((await record({ key: rotated.key, amount: 1 })).userErrors).toEqual([]);
  const test = await newUsedKey(api, business.test);
  const foreign = await newUsedKey(api, (await newBusiness(api)).live);
  at('2026-03-10T12:00:00.000Z');
  const before = await counts();
  const cases: [Record<string, unknown>, Record<string, unknown>][] = [
    [
      { productKeyId: blocking.id, amount: 3 },
      { code: 'QUOTA_EXCEEDED', path: ['input', 'amount'], remaining: '2', periodEnd: null },
    ],
    [
      { key: scheduled.key, amount: 1 },
      { code: 'PRODUCT_KEY_NOT_USABLE', path: ['input', 'key'], status: 'SCHEDULED' },
    ],
    [
      { productKeyId: expiring.id, amount: 1 },
      { code: 'PRODUCT_KEY_NOT_USABLE', path: ['input', 'productKeyId'], status: 'EXPIRED' },
    ],
    [
      { key: disabled.key, amount: 1 },
      { code: 'PRODUCT_KEY_NOT_USABLE', path: ['input', 'key'], status: 'DISABLED' },
    ],
    [
      { key: cancelled.key, amount: 1 },
      { code: 'PRODUCT_KEY_NOT_USABLE', path: ['input', 'key'], status: 'CANCELLED' },
    ],
    [
      { key: rotated.key, amount: 1 },
      { code: 'PRODUCT_KEY_REPLACED', path: ['input', 'key'], graceUntil: '2026-03-10T11:00:00.000Z' },
    ],
    [
      { key: 'nothing', amount: 1 },
      { code: 'PRODUCT_KEY_NOT_FOUND', path: ['input', 'key'] },
    ],
    [
      { productKeyId: 'nothing', amount: 1 },
      { code: 'PRODUCT_KEY_NOT_FOUND', path: ['input', 'productKeyId'] },
    ],
    [
      { key: foreign.key, amount: 1 },
      { code: 'PRODUCT_KEY_NOT_FOUND', path: ['input', 'key'] },
    ],
    [
      { productKeyId: foreign.id, amount: 1 },
      { code: 'PRODUCT_KEY_NOT_FOUND', path: ['input', 'productKeyId'] },
    ],
    [
      { key: test.key, amount: 1 },
      { code: 'MODE_MISMATCH', path: ['input', 'key'] },
    ],
    [
      { productKeyId: test.id, amount: 1 },
      { code: 'MODE_MISMATCH', path: ['input', 'productKeyId'] },
    ],
    [
      { productKeyId: blocking.id, amount: 0 },
      { code: 'INVALID_INPUT', path: ['input', 'amount'] },
    ],
    [
      { productKeyId: blocking.id, amount: '-1' },
      { code: 'INVALID_INPUT', path: ['input', 'amount'] },
    ],
    [
      { productKeyId: metered.id, amount: '9223372036854775807' },
      { code: 'INVALID_INPUT', path: ['input', 'amount'] },
    ],
    [{ amount: 1 }, { code: 'INVALID_INPUT', path: ['input'] }],
    [
      { productKeyId: blocking.id, key: blocking.key, amount: 1 },
      { code: 'INVALID_INPUT', path: ['input'] },
    ],
    [
      { productKeyId: blocking.id, amount: 1, occurredAt: '2026-03-10T12:05:00.001Z' },
      { code: 'INVALID_INPUT', path: ['input', 'occurredAt'] },
    ],
    [
      { productKeyId: blocking.id, amount: 1, occurredAt: '2026-03-10T09:59:59.999Z' },
      { code: 'USAGE_PERIOD_CLOSED', path: ['input', 'occurredAt'], periodStart: T0 },
    ],
    [
      { productKeyId: blocking.id, amount: 1, idempotencyKey: 'k'.repeat(257) },
      { code: 'INVALID_INPUT', path: ['input', 'idempotencyKey'] },
    ],
  ];
  for (const [input, error] of cases) {
    const { usage, userErrors } = await record({ idempotencyKey: 'free', ...input });
    expect([input, usage, userErrors]).toEqual([input, null, [expect.objectContaining(error)]]);
  }
  const other = await api.data({
    token: business.live,
    query:
      'mutation { createBrand(input: { name: "Other", url: "usage-other.example.com" }) { brand { id } userErrors { message } } }',
  });
  expect(other.createBrand.userErrors).toEqual([]);
  const headers = { 'brand-url': 'usage-other.example.com' };
  for (const named of [{ key: blocking.key }, { productKeyId: blocking.id }]) {
    const { userErrors } = await record({ ...named, amount: 1 }, business.live, headers);
    expect(userErrors).toMatchObject([{ code: 'BRAND_MISMATCH', path: ['input', Object.keys(named)[0]] }]);
  }
  expect(await counts()).toMatchObject([{ ...(before[0] as object), changes: expect.anything() }]);
  // A refused attempt left the usage key free.
  expect((await record({ productKeyId: blocking.id, amount: 2, idempotencyKey: 'free' })).userErrors).toEqual([]);
  expect((await record({ productKeyId: metered.id, amount: 5 })).usage).toMatchObject({
    remainingQuota: '0',
    overage: '3',
  });
  expect(
    (await record({ productKeyId: blocking.id, amount: 1, occurredAt: '2026-03-10T12:05:00Z' })).userErrors,
  ).toMatchObject([{ code: 'QUOTA_EXCEEDED', remaining: '0' }]);
});

test('500 callers at once on a quota of 100 give exactly 100, and the charts say the same', async () => {
  at(T0);
  const { id } = await newUsedKey(api, business.live, {
    quota: 100,
    quotaNotificationThreshold: '50',
    notifyOwnerOnQuotaThreshold: true,
  });
  const answers = await Promise.all(
    Array.from({ length: 500 }, (_, i) => record({ productKeyId: id, amount: 1, idempotencyKey: `use ${i}` })),
  );
  const counted = answers.filter(({ userErrors }) => userErrors.length === 0);
  expect(counted).toHaveLength(100);
  expect(counted.map(({ usage }) => Number(usage.consumedQuota)).sort((a, b) => a - b)).toEqual(
    Array.from({ length: 100 }, (_, i) => i + 1),
  );
  expect(new Set(answers.flatMap(({ userErrors }) => userErrors.map((error: any) => error.code)))).toEqual(
    new Set(['QUOTA_EXCEEDED']),
  );
  const chart = 'usage(from: "2026-03-10T00:00:00Z", to: "2026-03-11T00:00:00Z") { amount calls }';
  expect(await meterOf(id, `consumedQuota ${chart} deliveries { template }`)).toEqual({
    consumedQuota: '100',
    usage: [{ amount: '100', calls: '100' }],
    deliveries: [{ template: 'product-key-quota-threshold' }],
  });
});

test('a usage key counts once, also among duplicates at once, until its period is over; anything else under it is a conflict', async () => {
  at('2026-01-31T10:00:00.000Z');
  const productIds = [await newProduct(api, business.live, { quotaPeriod: 'MONTH' })];
  const { id, key } = await newUsedKey(api, business.live, { productIds, quota: 100 });
  at('2026-02-01T10:00:00.000Z');
  const input = { key, amount: 7, occurredAt: '2026-02-01T09:00:00Z', idempotencyKey: 'once' };
  const answers = await Promise.all(
    Array.from({ length: 24 }, () => callUsage(api, business.live, 'recordUsage', input)),
  );
  const replays = answers.map(({ extensions }) => extensions.idempotency[0].replayed);
  expect(replays.filter((replayed: boolean) => !replayed)).toHaveLength(1);
  expect(new Set(answers.map(({ data }) => JSON.stringify(data))).size).toBe(1);
  await record({ productKeyId: id, amount: 1 });
  // The same use by the key's id, by header and by a batch; after more was used, and when the key has been disabled.
  await callProductKey(api, business.live, 'disableProductKey', { productKeyId: id });
  const { idempotencyKey, ...rest } = input;
  const byHeader = await callUsage(api, business.live, 'recordUsage', rest, { 'idempotency-key': idempotencyKey });
  const byId = await callUsage(api, business.live, 'recordUsage', { ...input, key: undefined, productKeyId: id });
  for (const again of [byHeader, byId]) {
    expect([again.data, again.extensions.idempotency]).toEqual([
      answers[0]?.data,
      [{ path: ['recordUsage'], replayed: true }],
    ]);
  }
  const batch = await callUsage(api, business.live, 'recordUsages', { rows: [input] });
  expect(batch.data.recordUsages.results).toEqual([
    { index: 0, usage: answers[0]?.data.recordUsage.usage, replayed: true, userErrors: [] },
  ]);
  await callProductKey(api, business.live, 'enableProductKey', { productKeyId: id });
  for (const other of [{ amount: 8 }, { occurredAt: '2026-02-01T08:00:00Z' }, { occurredAt: null }]) {
    const answer = await callUsage(api, business.live, 'recordUsage', { ...input, ...other });
    expect([answer.status, answer.errors?.[0]?.extensions.code]).toEqual([409, 'IDEMPOTENCY_CONFLICT']);
  }
  expect((await meterOf(id)).consumedQuota).toBe('8');
  // The period that began on 31 January ends on 28 February: a late repetition is refused, and the usage key is free again.
  at('2026-02-28T10:00:00.000Z');
  expect((await record(input)).userErrors).toMatchObject([
    { code: 'USAGE_PERIOD_CLOSED', periodStart: '2026-02-28T10:00:00.000Z' },
  ]);
  const next = await record({ key, amount: 2, idempotencyKey: 'once' });
  expect(next.usage).toMatchObject({
    consumedQuota: '2',
    periodStart: '2026-02-28T10:00:00.000Z',
    periodEnd: '2026-03-31T10:00:00.000Z',
  });
  expect(
    await api.db.sql(
      null,
      `SELECT consumed::int, quota::int, over_quota AS "overQuota", starts_at AS "startsAt", ends_at AS "endsAt"
      FROM product_key_statements ORDER BY closed_at DESC LIMIT 1`,
      [],
    ),
  ).toEqual([
    {
      consumed: 8,
      quota: 100,
      overQuota: 'BLOCK',
      startsAt: new Date('2026-01-31T10:00:00Z'),
      endsAt: new Date('2026-02-28T10:00:00Z'),
    },
  ]);
});

test('periods begin anew by anniversary or calendar, with as many callers at once as there may be', async () => {
  at('2026-03-04T15:00:00.000Z');
  const keyOf = async (quotaPeriod: string, quotaAnchor: string) =>
    newUsedKey(api, business.live, {
      productIds: [await newProduct(api, business.live, { quotaPeriod, quotaAnchor })],
      quota: 10,
    });
  const cases = [
    ['DAY', 'ANNIVERSARY', '2026-03-05T15:00:00.000Z', '2026-03-06T15:00:00.000Z'],
    ['DAY', 'CALENDAR', '2026-03-05T00:00:00.000Z', '2026-03-06T00:00:00.000Z'],
    ['WEEK', 'CALENDAR', '2026-03-09T00:00:00.000Z', '2026-03-16T00:00:00.000Z'],
    ['MONTH', 'CALENDAR', '2026-04-01T00:00:00.000Z', '2026-05-01T00:00:00.000Z'],
    ['YEAR', 'ANNIVERSARY', '2027-03-04T15:00:00.000Z', '2028-03-04T15:00:00.000Z'],
  ] as const;
  const keys = await Promise.all(cases.map(([period, anchor]) => keyOf(period, anchor)));
  for (const [i, [period, anchor, start, end]] of cases.entries()) {
    const { id } = keys[i]!;
    at('2026-03-04T23:59:59.999Z');
    await record({ productKeyId: id, amount: 10 });
    at(new Date(Date.parse(start) - 1).toISOString());
    expect((await record({ productKeyId: id, amount: 1 })).userErrors).toMatchObject([
      { code: 'QUOTA_EXCEEDED', periodEnd: start },
    ]);
    at(start);
    const answers = await Promise.all(Array.from({ length: 15 }, () => record({ productKeyId: id, amount: 1 })));
    const counted = answers.filter(({ usage }) => usage !== null);
    expect([period, anchor, counted.length]).toEqual([period, anchor, 10]);
    expect(counted[0].usage).toMatchObject({ periodStart: start, periodEnd: end });
    expect(await meterOf(id, 'consumedQuota quotaPeriodStart')).toEqual({
      consumedQuota: '10',
      quotaPeriodStart: start,
    });
  }
});

test('exceeding the threshold is told once a period, to owner and further addresses, with an event; equal is not exceeding', async () => {
  at(T0);
  const { id } = await newUsedKey(api, business.live, {
    productIds: [await newProduct(api, business.live, { quotaPeriod: 'DAY', overQuota: 'METER' })],
    clientEmailAddress: 'owner@usage.example',
    quota: 1000,
    quotaNotificationThreshold: '80.5',
    notifyOwnerOnQuotaThreshold: true,
    notificationAddressesOnQuotaThreshold: ['ops@usage.example', 'OWNER@usage.example'],
  });
  const told = () =>
    meterOf(id, 'version deliveries { template recipient } history(first: 1) { nodes { type after } }');
  await record({ productKeyId: id, amount: 805 });
  expect((await told()).deliveries).toEqual([]);
  await Promise.all(Array.from({ length: 20 }, () => record({ productKeyId: id, amount: 1 })));
  const mails = ['owner@usage.example', 'ops@usage.example'].map((recipient) => ({
    template: 'product-key-quota-threshold',
    recipient,
  }));
  const first = await told();
  expect(first.deliveries.toSorted((a: any, b: any) => b.recipient.localeCompare(a.recipient))).toEqual(mails);
  expect(first.history.nodes).toEqual([
    {
      type: 'product_key.quota_threshold_exceeded',
      after: {
        consumedQuota: '806',
        quota: '1000',
        quotaNotificationThreshold: '80.5',
        quotaPeriodStart: T0,
        quotaPeriodEnd: '2026-03-11T10:00:00.000Z',
      },
    },
  ]);
  await record({ productKeyId: id, amount: 500 });
  expect(await told()).toEqual(first);
  const [delivery] = (await api.db.sql(
    null,
    `SELECT d.business_id AS "businessId", d.mode, d.product_key_id AS "productKeyId" FROM deliveries d
      WHERE recipient = 'ops@usage.example'`,
    [],
  )) as [Delivery];
  const mail = await quotaThresholdMail(api.db, delivery, api.now());
  expect(mail && renderMail('product-key-quota-threshold', mail)).toMatchObject({
    subject: expect.stringMatching(/^More than 80.5 % of the quota of /),
    text: expect.stringContaining(
      ', 1325 of 1000 is used: more than 80.5 %.\nThe quota begins anew at 2026-03-11 10:00 UTC.\n',
    ),
  });
  at('2026-03-11T10:00:00.000Z');
  expect(await quotaThresholdMail(api.db, delivery, api.now())).toBe(null);
  // The period that is over keeps the quota that it had.
  await callProductKey(api, business.live, 'updateProductKey', { productKeyId: id, quota: 1001 });
  await callProductKey(api, business.live, 'updateProductKey', { productKeyId: id, quota: 1000 });
  expect(
    await api.db.sql(
      null,
      `SELECT consumed::int, quota::int FROM product_key_statements p WHERE product_key_id =
      (SELECT product_key_id FROM deliveries WHERE recipient = 'ops@usage.example' LIMIT 1)`,
      [],
    ),
  ).toEqual([{ consumed: 1325, quota: 1000 }]);
  const { version } = await told();
  await record({ productKeyId: id, amount: 805 });
  expect((await told()).deliveries).toHaveLength(2);
  await record({ productKeyId: id, amount: 1 });
  expect((await told()).deliveries).toHaveLength(4);
  expect((await told()).version).toBe(version + 1);
});

test('only an API key with USAGE_WRITE counts, and without PRODUCT_KEYS_READ it does not see the key', async () => {
  at(T0);
  const { id } = await newUsedKey(api, business.live, { quota: 5 });
  const customerId = await newCustomer(api, business.live);
  const narrow = await newApiKey(api, business.live, ['PRODUCT_KEYS_READ', 'PRODUCT_KEYS_WRITE']);
  const session = await newSession(api, business.live, customerId);
  const query = `mutation ($input: RecordUsageInput!) { recordUsage(input: $input) { usage { consumedQuota productKey { id } } userErrors { code } } }`;
  const variables = { input: { productKeyId: id, amount: 1 } };
  for (const token of [narrow, session]) {
    const answer = await api.call({ token, query, variables });
    expect([answer.errors?.[0]?.extensions.code, answer.data]).toEqual(['FORBIDDEN', null]);
  }
  expect((await api.call({ query, variables })).status).toBe(401);
  const gateway = await newApiKey(api, business.live, ['USAGE_WRITE']);
  const answer = await api.call({ token: gateway, query, variables });
  expect([answer.data.recordUsage, answer.errors?.map(({ extensions }) => extensions.code)]).toEqual([
    { usage: { consumedQuota: '1', productKey: null }, userErrors: [] },
    ['FORBIDDEN'],
  ]);
  // Its owner sees what was used; another customer does not see the key.
  const owner = (await meterOf(id, 'owner { id }')).owner.id;
  const fields = 'usage(from: "2026-03-10T00:00:00Z", to: "2026-03-11T00:00:00Z") { amount }';
  expect(await meterOf(id, fields, await newSession(api, business.live, owner))).toEqual({ usage: [{ amount: '1' }] });
  expect(await meterOf(id, fields, session)).toBe(null);
});
