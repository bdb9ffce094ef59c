import { beforeAll, expect, test } from '@jest/globals';
import { useApi } from '../support/api.js';
import { newBusiness, type TestBusiness } from '../support/business.js';
import { newProduct } from '../support/catalog.js';
import { callProductKey } from '../support/productKeys.js';
import { callUsage, countWrites, newUsedKey } from '../support/usage.js';
import { globalId, newId } from '../../src/kernel/id.js';
import { forgetUsageKeys } from '../../src/usage/forgetUsageKeys.js';

const api = useApi();
let business: TestBusiness;

beforeAll(async () => {
  api.setNow('2026-03-10T10:00:00.000Z');
  business = await newBusiness(api);
});

type Fields = Record<string, unknown>;

async function recordAll(rows: Fields[], more: Fields = {}): Promise<any> {
  const answer = await callUsage(api, business.live, 'recordUsages', { rows, ...more });
  if (answer.errors) throw new Error(JSON.stringify(answer.errors));
  return answer.data.recordUsages;
}

async function consumedOf(...ids: string[]): Promise<number[]> {
  const query = 'query ($ids: [ID!]!) { nodes(ids: $ids) { ... on ProductKey { consumedQuota } } }';
  const { nodes } = await api.data({ token: business.live, query, variables: { ids } });
  return nodes.map(({ consumedQuota }: { consumedQuota: string }) => Number(consumedQuota));
}

test('rows are counted in their order, each all or nothing, and the whole call is answered again from its record', async () => {
  const [one, two] = [await newUsedKey(api, business.live, { quota: 10 }), await newUsedKey(api, business.live)];
  const disabled = await newUsedKey(api, business.live, { valid: false });
  const inTest = await newUsedKey(api, business.test);
  const rows = [
    { productKeyId: one.id, amount: 8, idempotencyKey: 'a' },
    { productKeyId: one.id, amount: 3 },
    { key: one.key, amount: 2, occurredAt: '2026-03-10T10:00:00Z' },
    { key: two.key, amount: '5000000000', idempotencyKey: 'a' },
    { productKeyId: one.id, amount: 8, idempotencyKey: 'a' },
    { productKeyId: disabled.id, amount: 1 },
    { key: inTest.key, amount: 1 },
    { productKeyId: inTest.id, amount: 1 },
    { productKeyId: globalId('ProductKey', newId()), amount: 1 },
    { key: 'nothing', amount: 1 },
    { productKeyId: two.id, amount: 0 },
    { productKeyId: two.id, amount: 1, occurredAt: '2026-03-10T09:00:00Z' },
  ];
  const input = { rows, idempotencyKey: 'batch' };
  const first = await callUsage(api, business.live, 'recordUsages', input);
  const { results, userErrors } = first.data.recordUsages;
  expect(userErrors).toEqual([]);
  expect(results.map(({ index, usage, replayed }: any) => [index, usage?.consumedQuota ?? null, replayed])).toEqual([
    [0, '8', false],
    [1, null, false],
    [2, '10', false],
    [3, '5000000000', false],
    [4, '8', true],
    ...[5, 6, 7, 8, 9, 10, 11].map((index) => [index, null, false]),
  ]);
  expect(
    results.flatMap((result: any) => result.userErrors.map(({ code, path }: any) => [code, path.join('.')])),
  ).toEqual([
    ['QUOTA_EXCEEDED', 'input.rows.1.amount'],
    ['PRODUCT_KEY_NOT_USABLE', 'input.rows.5.productKeyId'],
    ['MODE_MISMATCH', 'input.rows.6.key'],
    ['MODE_MISMATCH', 'input.rows.7.productKeyId'],
    ['PRODUCT_KEY_NOT_FOUND', 'input.rows.8.productKeyId'],
    ['PRODUCT_KEY_NOT_FOUND', 'input.rows.9.key'],
    ['INVALID_INPUT', 'input.rows.10.amount'],
    ['USAGE_PERIOD_CLOSED', 'input.rows.11.occurredAt'],
  ]);
  const again = await callUsage(api, business.live, 'recordUsages', input);
  expect([again.data, again.extensions.idempotency[0].replayed]).toEqual([first.data, true]);
  expect(await consumedOf(one.id, two.id)).toEqual([10, 5_000_000_000]);
  const next = await recordAll([
    { ...rows[0], amount: 9 },
    { productKeyId: two.id, amount: 1 },
  ]);
  expect(next.results).toMatchObject([
    { usage: null, userErrors: [{ code: 'USAGE_KEY_TAKEN', path: ['input', 'rows', '0', 'idempotencyKey'] }] },
    { usage: { consumedQuota: '5000000001' }, userErrors: [] },
  ]);
});

test('ALL_OR_NOTHING counts nothing where one row cannot be counted', async () => {
  const [one, two] = [await newUsedKey(api, business.live, { quota: 10 }), await newUsedKey(api, business.live)];
  const rows = [
    { productKeyId: two.id, amount: 4, idempotencyKey: 'kept' },
    { productKeyId: one.id, amount: 11 },
    { productKeyId: one.id, amount: 0 },
  ];
  const refused = await recordAll(rows, { onError: 'ALL_OR_NOTHING' });
  expect([refused.results, refused.userErrors.map(({ path }: any) => path.join('.')).sort()]).toEqual([
    null,
    ['input.rows.1.amount', 'input.rows.2.amount'],
  ]);
  expect(await consumedOf(one.id, two.id)).toEqual([0, 0]);
  expect((await recordAll([])).userErrors).toMatchObject([{ code: 'INVALID_INPUT', path: ['input', 'rows'] }]);
  const done = await recordAll([rows[0]!, { productKeyId: one.id, amount: 10 }], { onError: 'ALL_OR_NOTHING' });
  expect(done.results.map(({ replayed, usage }: any) => [replayed, usage.remainingQuota])).toEqual([
    [false, null],
    [false, '0'],
  ]);
});

test('1,000 rows of many keys are counted in a handful of statements, thresholds told; batches and single calls at once stay exact', async () => {
  const productIds = [await newProduct(api, business.live, { quotaPeriod: 'DAY' })];
  const keys = await Promise.all(
    Array.from({ length: 8 }, () =>
      newUsedKey(api, business.live, {
        productIds,
        quota: 200,
        quotaNotificationThreshold: '50',
        notificationAddressesOnQuotaThreshold: ['ops@usage.example'],
      }),
    ),
  );
  const ids = keys.map(({ id }) => id);
  const rows = (batch: string) =>
    Array.from({ length: 1_000 }, (_, i) => ({
      ...(i % 2 ? { key: keys[i % 8]!.key } : { productKeyId: ids[i % 8] }),
      amount: 1,
      idempotencyKey: `${batch} ${i}`,
    }));
  const statements = await countWrites(api, () => recordAll(rows('first')));
  expect(statements).toBeLessThanOrEqual(16);
  expect(await consumedOf(...ids)).toEqual(ids.map(() => 125));
  const [{ mails, events }] = (await api.db.sql(
    null,
    `SELECT (SELECT count(*)::int FROM deliveries WHERE template = 'product-key-quota-threshold') AS mails,
      (SELECT count(*)::int FROM changes WHERE type = 'product_key.quota_threshold_exceeded') AS events`,
    [],
  )) as [{ mails: number; events: number }];
  expect([mails, events]).toEqual([8, 8]);
  // More than is left, from all sides at once, in orders that would deadlock if locks were taken as rows come.
  const outcomes = await Promise.all([
    recordAll(rows('second')),
    recordAll(rows('third').reverse()),
    ...ids.flatMap((productKeyId) =>
      Array.from({ length: 10 }, async () => {
        const answer = await callUsage(api, business.live, 'recordUsage', { productKeyId, amount: 1 });
        return { results: [answer.data.recordUsage] };
      }),
    ),
  ]);
  const counted = outcomes.flatMap(({ results }) => results).filter(({ userErrors }: any) => userErrors.length === 0);
  expect(counted).toHaveLength(8 * 75);
  expect(await consumedOf(...ids)).toEqual(ids.map(() => 200));
  const [row] = await api.db.sql(
    null,
    `SELECT sum(amount)::int AS amount, sum(calls)::int AS calls FROM product_key_usage_hours h
      WHERE (SELECT quota FROM product_key_meters m WHERE m.id = h.product_key_id) = 200`,
    [],
  );
  expect(row).toEqual({ amount: 1600, calls: 1600 });
});

test('usage keys are forgotten when their period is over, and not before; charts and totals stay', async () => {
  const productIds = [await newProduct(api, business.live, { quotaPeriod: 'DAY' })];
  const { id } = await newUsedKey(api, business.live, { productIds, start: '2026-01-05T00:00:00Z' });
  const forever = await newUsedKey(api, business.live);
  api.setNow('2026-03-10T23:00:00.000Z');
  await recordAll([id, forever.id].map((productKeyId) => ({ productKeyId, amount: 1, idempotencyKey: 'old' })));
  const kept = async () =>
    (
      await api.db.sql(null, 'SELECT 1 AS one FROM product_key_usages WHERE period_ends_at = $1', [
        new Date('2026-03-11T00:00:00Z'),
      ])
    ).length;
  await forgetUsageKeys({ db: api.db, now: new Date('2026-03-10T23:59:59.999Z') });
  expect(await kept()).toBe(1);
  expect(await forgetUsageKeys({ db: api.db, now: new Date('2026-03-11T00:00:00Z') })).toBeGreaterThanOrEqual(1);
  expect(await kept()).toBe(0);
  const again = await recordAll([{ productKeyId: forever.id, amount: 1, idempotencyKey: 'old' }]);
  expect([again.results[0].replayed, await consumedOf(id, forever.id)]).toEqual([true, [1, 1]]);
  api.setNow('2026-03-10T10:00:00.000Z');
});

test('nobody counts on keys of another tenant or brand', async () => {
  const theirs = await newUsedKey(api, (await newBusiness(api)).live);
  const { results } = await recordAll([
    { productKeyId: theirs.id, amount: 1 },
    { key: theirs.key, amount: 1 },
  ]);
  expect(results.flatMap(({ userErrors }: any) => userErrors.map(({ code }: any) => code))).toEqual([
    'PRODUCT_KEY_NOT_FOUND',
    'PRODUCT_KEY_NOT_FOUND',
  ]);
  const mine = await newUsedKey(api, business.live);
  await api.data({
    token: business.live,
    query: 'mutation { createBrand(input: { name: "Other", url: "batch-other.example.com" }) { brand { id } } }',
  });
  const answer = await callUsage(
    api,
    business.live,
    'recordUsages',
    { rows: [{ key: mine.key, amount: 1 }] },
    { 'brand-url': 'batch-other.example.com' },
  );
  expect(answer.data.recordUsages.results[0].userErrors).toMatchObject([
    { code: 'BRAND_MISMATCH', path: ['input', 'rows', '0', 'key'] },
  ]);
  expect(await consumedOf(mine.id)).toEqual([0]);
  await callProductKey(api, business.live, 'disableProductKey', { productKeyId: mine.id });
});
