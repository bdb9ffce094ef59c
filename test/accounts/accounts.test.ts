import { request } from 'node:http';
import { expect, test } from '@jest/globals';
import { adminToken, useApi } from '../support/api.js';
import { newApiKey, newBusiness, newCustomer, newSession } from '../support/business.js';

const api = useApi();

const createBusiness = `mutation ($input: CreateBusinessInput!) {
  createBusiness(input: $input) {
    business { id name managedBilling metadata version createdAt updatedAt brands { id name url isPrimary metadata version createdAt updatedAt } }
    liveToken testToken userErrors { __typename message path code }
  }
}`;
const createApiKey = `mutation ($input: CreateApiKeyInput!) {
  createApiKey(input: $input) {
    apiKey { id name mode last4 scopes expiresAt lastUsedAt revokedAt version createdAt updatedAt }
    token userErrors { __typename message path code ... on ScopeNotHeld { scopes } }
  }
}`;
const revokeApiKey = `mutation ($input: RevokeApiKeyInput!) {
  revokeApiKey(input: $input) { apiKey { id revokedAt version } userErrors { code path } }
}`;

test('the operator creates a business with its primary brand and a key for each mode', async () => {
  api.setNow('2026-03-01T10:00:00.000Z');
  const { createBusiness: made } = await api.data({
    token: adminToken,
    query: createBusiness,
    variables: {
      input: {
        name: ' Acme ',
        brandUrl: 'https://Shop.Acme.example/',
        brandName: 'Acme Shop',
        managedBilling: true,
        metadata: { plan: 'pro' },
      },
    },
  });
  api.setNow(null);
  const stamps = { version: 1, createdAt: '2026-03-01T10:00:00.000Z', updatedAt: '2026-03-01T10:00:00.000Z' };
  expect(made).toEqual({
    business: {
      id: expect.stringMatching(/^biz_/),
      name: 'Acme',
      managedBilling: true,
      metadata: { plan: 'pro' },
      ...stamps,
      brands: [
        {
          id: expect.stringMatching(/^brand_/),
          name: 'Acme Shop',
          url: 'shop.acme.example',
          isPrimary: true,
          metadata: {},
          ...stamps,
        },
      ],
    },
    liveToken: expect.stringMatching(/^lk_live_/),
    testToken: expect.stringMatching(/^lk_test_/),
    userErrors: [],
  });
  for (const [token, mode] of [
    [made.liveToken, 'LIVE'],
    [made.testToken, 'TEST'],
  ]) {
    const { business, apiKeys } = await api.data({
      token,
      query: '{ business { id } apiKeys { nodes { mode scopes } } }',
    });
    expect(business.id).toBe(made.business.id);
    expect(apiKeys.nodes.map((key: { mode: string; scopes: string[] }) => [key.mode, key.scopes.length])).toEqual([
      [mode, 29],
    ]);
  }
});

test('createBusiness reports every problem and refuses a brand URL that is taken', async () => {
  const { brandUrl } = await newBusiness(api);
  const before = await api.db.prisma.business.count();
  const bad = await api.call({
    token: adminToken,
    query: createBusiness,
    variables: { input: { name: '', brandUrl: 'not a host' } },
  });
  expect(bad.data.createBusiness.userErrors.map((error: { path: string[] }) => error.path.join('.'))).toEqual([
    'input.name',
    'input.brandUrl',
  ]);
  const taken = await api.call({
    token: adminToken,
    query: createBusiness,
    variables: { input: { name: 'B', brandUrl: brandUrl.toUpperCase() } },
  });
  expect(taken.data.createBusiness).toMatchObject({
    business: null,
    liveToken: null,
    userErrors: [{ __typename: 'BrandUrlTaken', code: 'BRAND_URL_TAKEN', path: ['input', 'brandUrl'] }],
  });
  expect(await api.db.prisma.business.count()).toBe(before);
});

test('only the operator creates businesses', async () => {
  const { live } = await newBusiness(api);
  const variables = { input: { name: 'B', brandUrl: 'b.example' } };
  const asKey = await api.call({ token: live, query: createBusiness, variables });
  expect([asKey.status, asKey.errors?.[0]?.extensions.code]).toEqual([200, 'FORBIDDEN']);
  const anonymous = await api.call({ query: createBusiness, variables });
  expect([anonymous.status, anonymous.errors?.[0]?.extensions.code]).toEqual([401, 'UNAUTHENTICATED']);
  const operator = await api.call({ token: adminToken, query: '{ customers { totalCount } }' });
  expect(operator.errors?.[0]?.extensions.code).toBe('FORBIDDEN');
});

test('createBrand adds a brand that is not primary; its URL selects it for new objects', async () => {
  const { live } = await newBusiness(api);
  const { createBrand } = await api.data({
    token: live,
    query: `mutation { createBrand(input: { name: "Second", url: "second.acme.example", metadata: { a: 1 } }) {
      brand { id name url isPrimary metadata } userErrors { code } } }`,
  });
  expect(createBrand).toEqual({
    brand: {
      id: expect.stringMatching(/^brand_/),
      name: 'Second',
      url: 'second.acme.example',
      isPrimary: false,
      metadata: { a: 1 },
    },
    userErrors: [],
  });
  const call = {
    token: live,
    query: 'mutation { createCustomer(input: {}) { customer { brand { id } } userErrors { code } } }',
  };
  const inBrand = await api.data({ ...call, headers: { 'brand-url': 'second.acme.example' } });
  expect(inBrand.createCustomer.customer.brand.id).toBe(createBrand.brand.id);
  const unknown = await api.call({ ...call, headers: { 'brand-url': 'nowhere.example' } });
  expect([unknown.status, unknown.errors?.[0]?.extensions.code]).toEqual([400, 'BRAND_NOT_FOUND']);
  const other = await newBusiness(api);
  const foreign = await api.call({ ...call, token: other.live, headers: { 'brand-url': 'second.acme.example' } });
  expect([foreign.status, foreign.errors?.[0]?.message]).toEqual([
    400,
    unknown.errors?.[0]?.message.replace('nowhere.example', 'second.acme.example'),
  ]);
});

test('createApiKey shows its token once, works with its scopes only, and never gives what the caller lacks', async () => {
  const { live } = await newBusiness(api);
  const { createApiKey: made } = await api.data({
    token: live,
    query: createApiKey,
    variables: {
      input: {
        name: 'Shop',
        scopes: ['CUSTOMERS_READ', 'BUSINESS_WRITE', 'CUSTOMERS_READ'],
        expiresAt: '2100-01-01T00:00:00Z',
      },
    },
  });
  expect(made).toEqual({
    apiKey: {
      id: expect.stringMatching(/^key_/),
      name: 'Shop',
      mode: 'LIVE',
      last4: made.token.slice(-4),
      scopes: ['CUSTOMERS_READ', 'BUSINESS_WRITE'],
      expiresAt: '2100-01-01T00:00:00.000Z',
      lastUsedAt: null,
      revokedAt: null,
      version: 1,
      createdAt: expect.any(String),
      updatedAt: expect.any(String),
    },
    token: expect.stringMatching(/^lk_live_[0-9A-Za-z]{38}$/),
    userErrors: [],
  });
  const more = await api.call({
    token: made.token,
    query: createApiKey,
    variables: { input: { name: 'More', scopes: ['CUSTOMERS_READ', 'WALLETS_WRITE'] } },
  });
  expect(more.data.createApiKey).toEqual({
    apiKey: null,
    token: null,
    userErrors: [
      {
        __typename: 'ScopeNotHeld',
        message: expect.stringContaining('WALLETS_WRITE'),
        path: ['input', 'scopes'],
        code: 'SCOPE_NOT_HELD',
        scopes: ['WALLETS_WRITE'],
      },
    ],
  });
  const bad = await api.call({
    token: live,
    query: createApiKey,
    variables: { input: { name: 'Bad', scopes: [], expiresAt: '2020-01-01' } },
  });
  expect(
    bad.data.createApiKey.userErrors.map((error: { code: string; path: string[] }) => [error.code, error.path.at(-1)]),
  ).toEqual([
    ['INVALID_INPUT', 'scopes'],
    ['INVALID_EXPIRY', 'expiresAt'],
  ]);
  const stored = JSON.stringify(await api.db.prisma.apiKey.findMany(), (_, value: unknown) =>
    typeof value === 'bigint' ? String(value) : value,
  );
  expect(stored).not.toContain(made.token);
});

test('a repeated createApiKey shows the same token again, and the record holds it encrypted', async () => {
  const { live } = await newBusiness(api);
  const call = {
    token: live,
    query: createApiKey,
    variables: { input: { name: 'Once', scopes: ['CUSTOMERS_READ'], idempotencyKey: 'once' } },
  };
  const [first, again] = [await api.call(call), await api.call(call)];
  expect(again.data).toEqual(first.data);
  expect([first.extensions.idempotency, again.extensions.idempotency]).toEqual([
    [{ path: ['createApiKey'], replayed: false }],
    [{ path: ['createApiKey'], replayed: true }],
  ]);
  const [record] = await api.db.sql<{ text: string; sealed: boolean }>(
    null,
    "SELECT r::text AS text, secret IS NOT NULL AS sealed FROM idempotency_records r WHERE key = encode(sha256('once'), 'hex')",
    [],
  );
  expect(record?.sealed).toBe(true);
  expect(record?.text).not.toContain(first.data.createApiKey.token);
});

test('revokeApiKey works within a second, is idempotent, and is not for other tenants or modes', async () => {
  const [mine, theirs] = [await newBusiness(api), await newBusiness(api)];
  const { createApiKey: made } = await api.data({
    token: mine.live,
    query: createApiKey,
    variables: { input: { name: 'Gone', scopes: ['CUSTOMERS_READ'] } },
  });
  const use = { token: made.token, query: '{ customers { totalCount } }' };
  expect((await api.call(use)).status).toBe(200);
  const variables = { input: { apiKeyId: made.apiKey.id } };
  for (const token of [theirs.live, mine.test]) {
    const foreign = await api.call({ token, query: revokeApiKey, variables });
    expect(foreign.data.revokeApiKey.userErrors).toEqual([{ code: 'API_KEY_NOT_FOUND', path: ['input', 'apiKeyId'] }]);
  }
  const revokedAt = Date.now();
  const first = await api.data({ token: mine.live, query: revokeApiKey, variables });
  expect(first.revokeApiKey.apiKey).toEqual({ id: made.apiKey.id, revokedAt: expect.any(String), version: 2 });
  while ((await api.call(use)).status !== 401) expect(Date.now() - revokedAt).toBeLessThan(1_500);
  const refused = await api.call(use);
  expect([refused.errors?.[0]?.extensions.code, refused.headers['www-authenticate']]).toEqual([
    'UNAUTHENTICATED',
    'Bearer',
  ]);
  expect(await api.data({ token: mine.live, query: revokeApiKey, variables })).toEqual(first);
});

test('a malformed, unknown, expired or doubled token is 401, whatever is asked', async () => {
  const { live } = await newBusiness(api);
  const { createApiKey: made } = await api.data({
    token: live,
    query: createApiKey,
    variables: {
      input: { name: 'Short', scopes: ['CUSTOMERS_READ'], expiresAt: new Date(Date.now() + 60_000).toISOString() },
    },
  });
  const unknown = `${live.slice(0, -1)}${live.endsWith('A') ? 'B' : 'A'}`;
  api.setNow(new Date(Date.now() + 61_000));
  const expired = await api.call({ token: made.token, query: '{ __typename }' });
  api.setNow(null);
  const answers = [
    expired,
    await api.call({ token: unknown, query: '{ __typename }' }),
    await api.call({ token: 'rubbish', query: '{ broken' }),
    await api.call({ token: live, query: '{ __typename }', headers: { 'x-api-key': unknown } }),
    await api.call({ query: '{ __typename }', headers: { authorization: 'Basic dXNlcjpwdw==' } }),
  ];
  expect(answers.map(({ status, errors }) => [status, errors?.[0]?.extensions.code])).toEqual(
    answers.map(() => [401, 'UNAUTHENTICATED']),
  );
});

test("the sources' headers carry the same token", async () => {
  const { live, id } = await newBusiness(api);
  const spellings: Record<string, string>[] = [
    { 'x-api-key': live },
    { 'auth-key': live },
    { authorization: live },
    { authorization: `bearer ${live}`, 'x-api-key': live },
  ];
  for (const headers of spellings) {
    expect(await api.data({ query: '{ business { id } }', headers })).toEqual({
      business: { id },
    });
  }
});

test('a session lives for its seconds, sees its own customer only, and can be revoked', async () => {
  const { live } = await newBusiness(api);
  const customerId = await newCustomer(api, live);
  const query = `mutation ($input: IssueCustomerSessionInput!) { issueCustomerSession(input: $input) {
    customerSession { id customer { id } expiresAt revokedAt createdAt updatedAt } token userErrors { code path } } }`;
  api.setNow('2026-03-01T10:00:00.000Z');
  const { issueCustomerSession: issued } = await api.data({
    token: live,
    query,
    variables: { input: { customerId, expiresInSeconds: 60 } },
  });
  expect(issued).toEqual({
    customerSession: {
      id: expect.stringMatching(/^ses_/),
      customer: { id: customerId },
      expiresAt: '2026-03-01T10:01:00.000Z',
      revokedAt: null,
      createdAt: '2026-03-01T10:00:00.000Z',
      updatedAt: '2026-03-01T10:00:00.000Z',
    },
    token: expect.stringMatching(/^lks_live_/),
    userErrors: [],
  });
  const use = { token: issued.token, query: '{ customer(id: "x") { id } }' };
  expect((await api.call(use)).status).toBe(200);
  api.setNow('2026-03-01T10:01:00.000Z');
  expect((await api.call(use)).status).toBe(401);
  api.setNow(null);
  const bad = await api.call({
    token: live,
    query,
    variables: { input: { customerId: 'cus_x', expiresInSeconds: 59 } },
  });
  expect(bad.data.issueCustomerSession.userErrors).toEqual([
    { code: 'INVALID_INPUT', path: ['input', 'expiresInSeconds'] },
  ]);
  const token = await newSession(api, live, customerId);
  const denied = await api.call({ token, query, variables: { input: { customerId } } });
  expect(denied.errors?.[0]?.extensions.code).toBe('FORBIDDEN');
  const revoke =
    'mutation ($input: RevokeCustomerSessionInput!) { revokeCustomerSession(input: $input) { customerSession { revokedAt } userErrors { code } } }';
  const { revokeCustomerSession } = await api.data({
    token: live,
    query: revoke,
    variables: { input: { customerSessionId: issued.customerSession.id } },
  });
  expect(revokeCustomerSession.customerSession.revokedAt).toEqual(expect.any(String));
  const unknown = await api.call({
    token: live,
    query: revoke,
    variables: { input: { customerSessionId: customerId } },
  });
  expect(unknown.data.revokeCustomerSession.userErrors).toEqual([{ code: 'CUSTOMER_SESSION_NOT_FOUND' }]);
});

test('apiKeys are listed with their last use, revoked ones apart', async () => {
  const { live } = await newBusiness(api);
  const narrow = await newApiKey(api, live, ['CUSTOMERS_READ']);
  const query =
    'query ($where: ApiKeyWhere) { apiKeys(where: $where, orderBy: { direction: ASC }) { nodes { id name last4 } } }';
  const { apiKeys } = await api.data({ token: live, query });
  expect(apiKeys.nodes.map((key: { last4: string }) => key.last4)).toEqual([live.slice(-4), narrow.slice(-4)]);
  await api.data({ token: live, query: revokeApiKey, variables: { input: { apiKeyId: apiKeys.nodes[1].id } } });
  const revoked = await api.data({ token: live, query, variables: { where: { isRevoked: true } } });
  expect(revoked.apiKeys.nodes).toEqual([apiKeys.nodes[1]]);
  const denied = await api.call({ token: await newApiKey(api, live, ['CUSTOMERS_READ']), query });
  expect(denied.errors?.[0]?.extensions).toMatchObject({ code: 'FORBIDDEN', requiredScopes: ['BUSINESS_READ'] });
});

test('a repeated createApiKey never hands a token to a key that may not give its scopes', async () => {
  const { live } = await newBusiness(api);
  const weak = await newApiKey(api, live, ['BUSINESS_WRITE']);
  const input = { name: 'Strong', scopes: ['BUSINESS_WRITE', 'WALLETS_WRITE'], idempotencyKey: 'strong' };
  await api.data({ token: live, query: createApiKey, variables: { input } });
  const replay = await api.call({ token: weak, query: createApiKey, variables: { input } });
  expect(replay.data.createApiKey).toMatchObject({ token: null, userErrors: [{ code: 'SCOPE_NOT_HELD' }] });
});

test('two different tokens in one kind of header are 401', async () => {
  const [mine, theirs] = [await newBusiness(api), await newBusiness(api)];
  const address = await api.server.listen({ host: '127.0.0.1', port: 0 });
  const { port } = new URL(address);
  const status = await new Promise<number | undefined>((resolve, reject) => {
    const body = JSON.stringify({ query: '{ business { id } }' });
    const headers = ['content-type', 'application/json', 'content-length', String(body.length)];
    const tokens = ['authorization', `Bearer ${mine.live}`, 'authorization', `Bearer ${theirs.live}`];
    const outgoing = request({ port, method: 'POST', path: '/graphql', headers: [...headers, ...tokens, 'host', 'x'] });
    outgoing.on('response', (response) => {
      response.resume();
      resolve(response.statusCode);
    });
    outgoing.on('error', reject);
    outgoing.end(body);
  });
  expect(status).toBe(401);
});

test('a session ends with the key that issued it, and is not issued for a customer of another brand', async () => {
  const { live } = await newBusiness(api);
  const issuer = await newApiKey(api, live, ['CUSTOMERS_WRITE']);
  const customerId = await newCustomer(api, live);
  const session = await newSession(api, issuer, customerId);
  const use = { token: session, query: '{ customer(id: "x") { id } }' };
  expect((await api.call(use)).status).toBe(200);
  const { apiKeys } = await api.data({ token: live, query: '{ apiKeys { nodes { id last4 } } }' });
  const { id: apiKeyId } = apiKeys.nodes.find((key: { last4: string }) => key.last4 === issuer.slice(-4));
  await api.data({ token: live, query: revokeApiKey, variables: { input: { apiKeyId } } });
  const revokedAt = Date.now();
  while ((await api.call(use)).status !== 401) expect(Date.now() - revokedAt).toBeLessThan(1_500);
  await api.data({
    token: live,
    query:
      'mutation { createBrand(input: { name: "Other", url: "other.session.example" }) { brand { id } userErrors { code } } }',
  });
  const elsewhere = await api.call({
    token: live,
    query:
      'mutation ($input: IssueCustomerSessionInput!) { issueCustomerSession(input: $input) { token userErrors { code path } } }',
    variables: { input: { customerId } },
    headers: { 'brand-url': 'other.session.example' },
  });
  expect(elsewhere.data.issueCustomerSession).toEqual({
    token: null,
    userErrors: [{ code: 'BRAND_MISMATCH', path: ['input', 'customerId'] }],
  });
});
