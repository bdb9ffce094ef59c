import { beforeAll, expect, test } from '@jest/globals';
import { useApi } from '../support/api.js';
import { newApiKey, newBusiness, newCustomer, newSession, type TestBusiness } from '../support/business.js';
import { newProduct } from '../support/catalog.js';
import { callProductKey } from '../support/productKeys.js';
import { callUsage, newUsedKey } from '../support/usage.js';

const api = useApi();
let business: TestBusiness;

beforeAll(async () => {
  api.setNow('2026-03-10T10:00:00.000Z');
  business = await newBusiness(api);
});

type Fields = Record<string, unknown>;

async function correct(input: Fields, token = business.live, headers = {}): Promise<any> {
  const answer = await callUsage(api, token, 'correctUsage', { reason: 'Counted twice', ...input }, headers);
  if (answer.errors) throw new Error(JSON.stringify(answer.errors));
  return answer.data.correctUsage;
}

const record = (input: Fields) => callUsage(api, business.live, 'recordUsage', input);

async function keyOf(id: string): Promise<any> {
  const query = `query ($id: ID!) { productKey(id: $id) { consumedQuota remainingQuota version
    usage(from: "2026-03-10T10:00:00Z", to: "2026-03-10T12:00:00Z", resolution: HOUR) { amount corrected calls }
    history(first: 1) { nodes { type reason before after } } } }`;
  return (await api.data({ token: business.live, query, variables: { id } })).productKey;
}

test('what was counted by mistake is taken back of its hour, with its reason, and its room can be used again', async () => {
  const { id } = await newUsedKey(api, business.live, { quota: 10 });
  await record({ productKeyId: id, amount: 10, idempotencyKey: 'k' });
  api.setNow('2026-03-10T11:00:00.000Z');
  const input = { productKeyId: id, amount: -4, occurredAt: '2026-03-10T10:30:00Z', idempotencyKey: 'c' };
  const first = await callUsage(api, business.live, 'correctUsage', { ...input, reason: ' Counted twice ' });
  const again = await callUsage(api, business.live, 'correctUsage', { ...input, reason: ' Counted twice ' });
  expect([again.data, again.extensions.idempotency[0].replayed]).toEqual([first.data, true]);
  const { version } = first.data.correctUsage.productKey;
  expect(first.data.correctUsage).toEqual({
    productKey: { id, consumedQuota: '6', remainingQuota: '4', version },
    userErrors: [],
  });
  await record({ productKeyId: id, amount: 4 });
  expect(await keyOf(id)).toEqual({
    consumedQuota: '10',
    remainingQuota: '0',
    version,
    usage: [
      { amount: '10', corrected: '4', calls: '1' },
      { amount: '4', corrected: '0', calls: '1' },
    ],
    history: {
      nodes: [
        {
          type: 'product_key.usage_corrected',
          reason: 'Counted twice',
          before: { consumedQuota: '10' },
          after: { consumedQuota: '6' },
        },
      ],
    },
  });
  // A usage key stays used: what it counted is corrected, not undone.
  const replay = await record({ productKeyId: id, amount: 10, idempotencyKey: 'k' });
  expect(replay.extensions.idempotency[0].replayed).toBe(true);
  await callProductKey(api, business.live, 'disableProductKey', { productKeyId: id });
  expect((await correct({ productKeyId: id, amount: -1 })).productKey.consumedQuota).toBe('9');
  api.setNow('2026-03-10T10:00:00.000Z');
});

test('each refusal says why and changes nothing; the period before stays as it is', async () => {
  const productIds = [await newProduct(api, business.live, { quotaPeriod: 'DAY' })];
  const { id } = await newUsedKey(api, business.live, { quota: 10, productIds });
  const other = await newUsedKey(api, business.test);
  const foreign = await newUsedKey(api, (await newBusiness(api)).live);
  await record({ productKeyId: id, amount: 5 });
  await api.data({
    token: business.live,
    query: 'mutation { createBrand(input: { name: "Other", url: "correct-other.example.com" }) { brand { id } } }',
  });
  const before = await keyOf(id);
  const cases: [Fields, string, string, Fields?][] = [
    [{ productKeyId: id, amount: -6 }, 'USAGE_BELOW_ZERO', 'input.amount'],
    [{ productKeyId: id, amount: 1 }, 'INVALID_INPUT', 'input.amount'],
    [{ productKeyId: id, amount: 0 }, 'INVALID_INPUT', 'input.amount'],
    [{ productKeyId: id, amount: -1, reason: ' ' }, 'INVALID_INPUT', 'input.reason'],
    [{ productKeyId: id, amount: -1, occurredAt: '2026-03-10T10:00:00.001Z' }, 'INVALID_INPUT', 'input.occurredAt'],
    [
      { productKeyId: id, amount: -1, occurredAt: '2026-03-10T09:59:59.999Z' },
      'USAGE_PERIOD_CLOSED',
      'input.occurredAt',
    ],
    [{ productKeyId: id, amount: -1, expectedVersion: 99 }, 'STALE_OBJECT', 'input.expectedVersion'],
    [{ productKeyId: 'nothing', amount: -1 }, 'PRODUCT_KEY_NOT_FOUND', 'input.productKeyId'],
    [{ productKeyId: foreign.id, amount: -1 }, 'PRODUCT_KEY_NOT_FOUND', 'input.productKeyId'],
    [{ productKeyId: other.id, amount: -1 }, 'MODE_MISMATCH', 'input.productKeyId'],
    [
      { productKeyId: id, amount: -1 },
      'BRAND_MISMATCH',
      'input.productKeyId',
      { 'brand-url': 'correct-other.example.com' },
    ],
  ];
  for (const [input, code, path, headers] of cases) {
    const { productKey, userErrors } = await correct(input, business.live, headers);
    expect([code, productKey, userErrors.map((error: any) => [error.code, error.path.join('.')])]).toEqual([
      code,
      null,
      [[code, path]],
    ]);
  }
  expect((await correct({ productKeyId: id, amount: -6 })).userErrors[0].consumed).toBe('5');
  expect(await keyOf(id)).toEqual(before);
  api.setNow('2026-03-11T10:00:00.000Z');
  expect((await correct({ productKeyId: id, amount: -1 })).userErrors[0]).toMatchObject({
    code: 'USAGE_BELOW_ZERO',
    consumed: '0',
  });
  api.setNow('2026-03-10T10:00:00.000Z');
});

test('corrections and uses at once: never below zero, nothing lost', async () => {
  const { id } = await newUsedKey(api, business.live, { consumedQuota: 20 });
  const answers = await Promise.all([
    ...Array.from({ length: 30 }, () => correct({ productKeyId: id, amount: -1 })),
    ...Array.from({ length: 30 }, async () => (await record({ productKeyId: id, amount: 1 })).data.recordUsage),
  ]);
  const refused = answers.filter(({ userErrors }) => userErrors.length > 0);
  expect(refused.every(({ userErrors }) => userErrors[0].code === 'USAGE_BELOW_ZERO')).toBe(true);
  expect((await keyOf(id)).consumedQuota).toBe(String(20 + refused.length));
});

test('only an API key with both scopes corrects', async () => {
  const { id } = await newUsedKey(api, business.live, { consumedQuota: 5 });
  const tokens = [
    await newApiKey(api, business.live, ['USAGE_WRITE']),
    await newApiKey(api, business.live, ['PRODUCT_KEYS_WRITE']),
    await newSession(api, business.live, await newCustomer(api, business.live)),
  ];
  for (const token of tokens) {
    const answer = await callUsage(api, token, 'correctUsage', { productKeyId: id, amount: -1, reason: 'x' });
    expect([answer.errors?.[0]?.extensions.code, answer.data]).toEqual(['FORBIDDEN', null]);
  }
  expect((await keyOf(id)).consumedQuota).toBe('5');
});
