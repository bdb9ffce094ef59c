import { expect, test } from '@jest/globals';
import { globalId } from '../../src/kernel/id.js';
import { adminToken, useApi } from '../support/api.js';
import { newApiKey, newBusiness, newCustomer, newSession } from '../support/business.js';
import { newProduct } from '../support/catalog.js';

const api = useApi();
const times = 12;

/** The same mutation many times at once; gives what each answered. */
async function atOnce(token: string, mutation: string, inputs: (i: number) => Record<string, unknown>): Promise<any[]> {
  const type = `${mutation[0]?.toUpperCase()}${mutation.slice(1)}Input`;
  const query = `mutation ($input: ${type}!) { ${mutation}(input: $input) { __typename userErrors { code path } } }`;
  const answers = await Promise.all(
    Array.from({ length: times }, (_, i) => api.call({ token, query, variables: { input: inputs(i) } })),
  );
  expect(answers.flatMap(({ errors }) => errors ?? [])).toEqual([]);
  return answers.map(({ data }) => data[mutation]);
}

async function count(text: string, values: unknown[] = []): Promise<number> {
  const [row] = await api.db.sql<{ count: number }>(null, text, values);
  return row?.count ?? -1;
}

const codesOf = (payloads: any[]) =>
  payloads.flatMap(({ userErrors }) => userErrors.map((error: { code: string }) => error.code));

test('of many businesses or brands with one URL, one is created', async () => {
  const businesses = await atOnce(adminToken, 'createBusiness', () => ({ name: 'Acme', brandUrl: 'one.race.example' }));
  expect(codesOf(businesses)).toEqual(Array(times - 1).fill('BRAND_URL_TAKEN'));
  const { live } = await newBusiness(api);
  const brands = await atOnce(live, 'createBrand', () => ({ name: 'Brand', url: 'two.race.example' }));
  expect(codesOf(brands)).toEqual(Array(times - 1).fill('BRAND_URL_TAKEN'));
  expect(await count("SELECT count(*)::int FROM brands WHERE url IN ('one.race.example', 'two.race.example')")).toBe(2);
});

test('of many customers with one e-mail address, code or external id, one is created', async () => {
  const { live } = await newBusiness(api);
  for (const [field, code] of [
    ['email', 'EMAIL_TAKEN'],
    ['code', 'CUSTOMER_CODE_TAKEN'],
    ['externalId', 'EXTERNAL_ID_TAKEN'],
  ] as const) {
    const made = await atOnce(live, 'createCustomer', (i) => ({ firstName: `No ${i}`, [field]: 'same@example.com' }));
    expect([field, codesOf(made)]).toEqual([field, Array(times - 1).fill(code)]);
  }
  expect((await api.data({ token: live, query: '{ customers { totalCount } }' })).customers.totalCount).toBe(3);
});

test('of many updates that expect one version, one is made', async () => {
  const { live } = await newBusiness(api);
  const customerId = await newCustomer(api, live);
  const made = await atOnce(live, 'updateCustomer', (i) => ({ customerId, expectedVersion: 1, firstName: `No ${i}` }));
  expect(codesOf(made)).toEqual(Array(times - 1).fill('STALE_OBJECT'));
});

test('many updates of different fields at once are all kept', async () => {
  const { live } = await newBusiness(api);
  const customerId = await newCustomer(api, live);
  const made = await atOnce(live, 'updateCustomer', (i) => ({ customerId, metadata: { [`k${i}`]: i } }));
  expect(codesOf(made)).toEqual([]);
  const { customer } = await api.data({
    token: live,
    query: 'query ($id: ID!) { customer(id: $id) { metadata version } }',
    variables: { id: customerId },
  });
  expect([Object.keys(customer.metadata as object).length, customer.version]).toEqual([times, times + 1]);
});

test('revoking a key or a session many times at once is one change', async () => {
  const { live } = await newBusiness(api);
  await newApiKey(api, live, ['AUDIT_READ']);
  const { apiKeys } = await api.data({ token: live, query: '{ apiKeys(first: 1) { nodes { id } } }' });
  expect(codesOf(await atOnce(live, 'revokeApiKey', () => ({ apiKeyId: apiKeys.nodes[0].id })))).toEqual([]);
  await newSession(api, live, await newCustomer(api, live));
  const [session] = await api.db.prisma.customerSession.findMany({ orderBy: { createdAt: 'desc' }, take: 1 });
  const customerSessionId = globalId('CustomerSession', session?.id ?? '');
  expect(codesOf(await atOnce(live, 'revokeCustomerSession', () => ({ customerSessionId })))).toEqual([]);
  expect(await count("SELECT count(*)::int FROM changes WHERE type = 'api_key.revoked'")).toBe(1);
  expect(await count("SELECT count(*)::int FROM changes WHERE type = 'customer_session.revoked'")).toBe(1);
});

test('many equal calls under one idempotency key make one object, whatever is made', async () => {
  const { live } = await newBusiness(api);
  const productId = await newProduct(api, live, { serviceUrl: 'https://studio.example.com' });
  const customerId = await newCustomer(api, live);
  const calls: [mutation: string, table: string, input: Record<string, unknown>][] = [
    ['createApiKey', 'api_keys', { name: 'Key', scopes: ['AUDIT_READ'] }],
    ['issueCustomerSession', 'customer_sessions', { customerId }],
    ['issueLoginToken', 'login_tokens', { customerId, productId }],
    [
      'createProductOffering',
      'product_offerings',
      { productId, name: 'O', licenseType: 't', amount: '1', currencyCode: 'EUR' },
    ],
    ['createPackage', 'packages', { primaryProductId: productId, name: 'P' }],
    ['createEntitlement', 'entitlements', { name: 'E', configuration: { licenseKey: {} } }],
  ];
  for (const [mutation, table, input] of calls) {
    const before = await count(`SELECT count(*)::int FROM ${table}`);
    const made = await atOnce(live, mutation, () => ({ ...input, idempotencyKey: `race-${mutation}` }));
    expect([mutation, codesOf(made)]).toEqual([mutation, []]);
    expect([mutation, await count(`SELECT count(*)::int FROM ${table}`)]).toEqual([mutation, before + 1]);
  }
});
