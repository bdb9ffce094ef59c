import { expect, test } from '@jest/globals';
import { useApi } from '../support/api.js';
import { newBusiness } from '../support/business.js';

const api = useApi();

const create = `mutation ($input: CreateCustomerInput!) { createCustomer(input: $input) { customer { id firstName metadata } userErrors { code path message } } }`;

test.each([
  ['NUL', 'a\u0000b', 'control character'],
  ['a bell', 'a\u0007b', 'control character'],
  ['DEL', 'a\u007fb', 'control character'],
  ['half of a surrogate pair', 'a\ud800b', 'not well-formed Unicode'],
])('%s in text is refused, and the answer names the field', async (_name, firstName, reason) => {
  const { live } = await newBusiness(api);
  const answer = await api.call({ token: live, query: create, variables: { input: { firstName } } });
  expect(answer.errors).toEqual([
    {
      message: expect.stringContaining(reason),
      path: ['createCustomer'],
      locations: expect.anything(),
      extensions: expect.objectContaining({ code: 'BAD_USER_INPUT', argument: 'input.firstName' }),
    },
  ]);
  const inMetadata = await api.call({
    token: live,
    query: create,
    variables: { input: { metadata: { [firstName]: 'x' } } },
  });
  expect(inMetadata.errors?.[0]?.extensions.code).toBe('BAD_USER_INPUT');
  expect((await api.data({ token: live, query: '{ customers { totalCount } }' })).customers.totalCount).toBe(0);
});

test.each([
  '😀 Ünïcödé',
  'שלום',
  '\u202eRTL',
  'e\u0301',
  '𝒳',
  "Robert'); DROP TABLE customers;--",
  '{{7*7}}',
  '\ufeffBOM',
])('%j is text like any other', async (firstName) => {
  const { live } = await newBusiness(api);
  const { createCustomer } = await api.data({ token: live, query: create, variables: { input: { firstName } } });
  expect(createCustomer.customer.firstName).toBe(firstName.trim());
});

test('metadata is a flat map of scalars within its limits; odd keys are keys like any other', async () => {
  const { live } = await newBusiness(api);
  const { createCustomer } = await api.data({
    token: live,
    query: create,
    variables: { input: { metadata: { constructor: 1, toString: 'p', on: true } } },
  });
  expect(createCustomer.customer.metadata).toEqual({ constructor: 1, toString: 'p', on: true });
  const metadata = JSON.parse('{"__proto__": "p"}') as Record<string, unknown>;
  const polluting = await api.call({ token: live, query: create, variables: { input: { metadata } } });
  expect([polluting.status, polluting.errors?.[0]?.extensions.code]).toEqual([400, 'BAD_REQUEST']);
  expect(({} as Record<string, unknown>)['p']).toBeUndefined();
  for (const nested of [{ a: { b: 1 } }, { a: [1] }, [], 'text', 5]) {
    const answer = await api.call({ token: live, query: create, variables: { input: { metadata: nested } } });
    expect([answer.status, answer.errors?.[0]?.extensions.code]).toEqual([400, 'BAD_USER_INPUT']);
  }
  const tooMuch = [
    [Object.fromEntries(Array.from({ length: 51 }, (_, i) => [`k${i}`, i])), 'input.metadata'],
    [{ ['k'.repeat(41)]: 1 }, `input.metadata.${'k'.repeat(41)}`],
    [{ a: 'v'.repeat(501) }, 'input.metadata.a'],
  ] as const;
  for (const [given, path] of tooMuch) {
    const answer = await api.call({ token: live, query: create, variables: { input: { metadata: given } } });
    expect(answer.data.createCustomer.userErrors.map((error: { path: string[] }) => error.path.join('.'))).toEqual([
      path,
    ]);
  }
});

test.each([
  '',
  'cus_',
  'lic_01h455vb4pex5vsknk084sn02q',
  'cus_01h455vb4pex5vsknk084sn02q',
  "' OR 1=1",
  'x'.repeat(5_000),
])('the malformed or unknown id %j answers as one that does not exist', async (id) => {
  const { live } = await newBusiness(api);
  const query =
    'query ($id: ID!, $ids: [ID!]!) { customer(id: $id) { id } node(id: $id) { id } nodes(ids: $ids) { id } customers(where: { id: { in: $ids } }) { nodes { id } } }';
  expect(await api.data({ token: live, query, variables: { id, ids: [id] } })).toEqual({
    customer: null,
    node: null,
    nodes: [null],
    customers: { nodes: [] },
  });
});

test('pages take 1 to 100 rows from one end, and cursors of the same list only', async () => {
  const [mine, theirs] = [await newBusiness(api), await newBusiness(api)];
  for (const token of [mine.live, theirs.live])
    for (let i = 0; i < 3; i++) await api.data({ token, query: create, variables: { input: {} } });
  const page = async (token: string, args: string) =>
    api.call({
      token,
      query: `{ customers(${args}) { nodes { id } pageInfo { startCursor endCursor hasNextPage hasPreviousPage } } }`,
    });
  for (const args of [
    'first: 0',
    'first: -1',
    'first: 101',
    'last: 0',
    'last: 101',
    'first: 1, last: 1',
    'after: "x"',
    'before: ""',
    'after: "W10"',
  ]) {
    expect([args, (await page(mine.live, args)).errors?.[0]?.extensions.code]).toEqual([args, 'BAD_USER_INPUT']);
  }
  const first = (await page(mine.live, 'first: 1')).data.customers;
  const cursor = first.pageInfo.endCursor as string;
  const refused = [
    await page(theirs.live, `after: "${cursor}"`),
    await page(mine.test, `after: "${cursor}"`),
    await page(mine.live, `after: "${cursor}", orderBy: { direction: ASC }`),
    await page(mine.live, `after: "${cursor}", orderBy: { field: NAME }`),
  ];
  expect(refused.map(({ errors }) => errors?.[0]?.extensions.code)).toEqual(refused.map(() => 'BAD_USER_INPUT'));
  const second = (await page(mine.live, `first: 1, after: "${cursor}"`)).data.customers;
  expect([second.pageInfo.hasNextPage, second.pageInfo.hasPreviousPage]).toEqual([true, true]);
  const back = (await page(mine.live, `last: 5, before: "${second.pageInfo.startCursor}"`)).data.customers;
  expect(back.nodes).toEqual(first.nodes);
  expect([back.pageInfo.hasNextPage, back.pageInfo.hasPreviousPage]).toEqual([true, false]);
  const whole = (await page(mine.live, 'last: 100')).data.customers.nodes as unknown[];
  expect(whole).toEqual((await page(mine.live, 'first: 100')).data.customers.nodes);
});

test('a list in an input has at most 250 items', async () => {
  const { live } = await newBusiness(api);
  const query = 'query ($codes: [String!]!) { customers(where: { code: { in: $codes } }) { nodes { id } } }';
  const codes = (length: number) => Array.from({ length }, (_, i) => `c${i}`);
  expect((await api.call({ token: live, query, variables: { codes: codes(250) } })).errors).toBeUndefined();
  const refused = await api.call({ token: live, query, variables: { codes: codes(251) } });
  expect(refused.errors?.[0]?.extensions).toMatchObject({ code: 'BAD_USER_INPUT', argument: 'where.code.in' });
});

test.each([
  ['2026-03-01T12:00:00Z', '2026-03-01T12:00:00.000Z'],
  ['2026-03-01T12:00:00', '2026-03-01T12:00:00.000Z'],
  ['2026-03-01', '2026-03-01T00:00:00.000Z'],
  ['2026-03-01T12:00:00.123456+02:00', '2026-03-01T10:00:00.123Z'],
  ['2024-02-29T00:00:00-14:00', '2024-02-29T14:00:00.000Z'],
  ['9999-12-31T23:59:59.999Z', '9999-12-31T23:59:59.999Z'],
])('the instant %s is %s', async (given, meant) => {
  const { live } = await newBusiness(api);
  const query =
    'mutation ($input: CreateApiKeyInput!) { createApiKey(input: $input) { apiKey { expiresAt } userErrors { code } } }';
  api.setNow('2024-01-01T00:00:00.000Z');
  const { createApiKey } = await api.data({
    token: live,
    query,
    variables: { input: { name: 'k', scopes: ['AUDIT_READ'], expiresAt: given } },
  });
  api.setNow(null);
  expect(createApiKey.apiKey.expiresAt).toBe(meant);
});

test.each([
  '2023-02-29T00:00:00Z',
  '2026-13-01',
  '2026-03-01T25:00:00Z',
  '2026-03-01T12:00:60Z',
  '10000-01-01',
  'tomorrow',
  '1772366400',
  '',
  '2026-03-01T12:00:00+15:00',
  '9999-12-31T23:59:59-14:00',
  '0001-01-01T00:00:00+14:00',
])('%j is no instant', async (expiresAt) => {
  const { live } = await newBusiness(api);
  const query = 'mutation ($input: CreateApiKeyInput!) { createApiKey(input: $input) { token } }';
  const answer = await api.call({
    token: live,
    query,
    variables: { input: { name: 'k', scopes: ['AUDIT_READ'], expiresAt } },
  });
  expect([answer.status, answer.errors?.[0]?.extensions.code, answer.errors?.[0]?.message]).toEqual([
    400,
    'BAD_USER_INPUT',
    expect.stringContaining('input.expiresAt'),
  ]);
});

test('a cursor that somebody made up is refused, and never reaches the database', async () => {
  const { live } = await newBusiness(api);
  await api.data({ token: live, query: create, variables: { input: {} } });
  const { customers } = await api.data({ token: live, query: '{ customers { pageInfo { endCursor } } }' });
  const [mark, key, id] = JSON.parse(
    Buffer.from(customers.pageInfo.endCursor as string, 'base64url').toString(),
  ) as string[];
  for (const parts of [
    [mark, 'abc', id],
    [mark, key, '-'.repeat(36)],
    [mark, key, 7],
    [mark, '2026-02-31 10:00:00+00', id],
    [mark, key],
  ]) {
    const after = Buffer.from(JSON.stringify(parts)).toString('base64url');
    const answer = await api.call({
      token: live,
      query: 'query ($after: String) { customers(after: $after) { nodes { id } } }',
      variables: { after },
    });
    expect([parts, answer.errors?.[0]?.extensions.code]).toEqual([parts, 'BAD_USER_INPUT']);
  }
});

test('a currency that is none is a refusal wherever one is given', async () => {
  const { live } = await newBusiness(api);
  const input = {
    name: 'x',
    productId: 'x',
    customerId: 'x',
    walletId: 'x',
    packageId: 'x',
    subscriptionTypeId: 'x',
    licenseType: 'x',
    amount: '1',
    currencyCode: 'ABC',
  };
  const pick = (...names: (keyof typeof input)[]) => Object.fromEntries(names.map((name) => [name, input[name]]));
  const calls = {
    createWallet: pick('customerId', 'currencyCode'),
    creditWallet: pick('walletId', 'amount', 'currencyCode'),
    createPackagePrice: pick('packageId', 'subscriptionTypeId', 'amount', 'currencyCode'),
    createProductOffering: pick('productId', 'name', 'licenseType', 'amount', 'currencyCode'),
  };
  for (const [name, given] of Object.entries(calls)) {
    const type = `${name[0]?.toUpperCase()}${name.slice(1)}Input`;
    const query = `mutation ($input: ${type}!) { ${name}(input: $input) { userErrors { code path } } }`;
    const answer = await api.call({ token: live, query, variables: { input: given } });
    expect([name, answer.data[name].userErrors]).toEqual([
      name,
      [{ code: 'INVALID_CURRENCY', path: ['input', 'currencyCode'] }],
    ]);
    const shapeless = await api.call({ token: live, query, variables: { input: { ...given, currencyCode: 'eur' } } });
    expect([name, shapeless.errors?.[0]?.extensions.code]).toEqual([name, 'BAD_USER_INPUT']);
  }
});
