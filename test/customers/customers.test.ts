import { expect, test } from '@jest/globals';
import { useApi } from '../support/api.js';
import { newApiKey, newBusiness, newCustomer, newSession } from '../support/business.js';

const api = useApi();

const create = `mutation ($input: CreateCustomerInput!) {
  createCustomer(input: $input) {
    customer {
      id name number code externalId firstName lastName companyName email isEmailVerified countryCode3Letter locale metadata
      brand { id } mode version createdAt updatedAt
    }
    userErrors { __typename message path code }
  }
}`;

test('createCustomer gives back every field that was given', async () => {
  const business = await newBusiness(api);
  api.setNow('2026-03-01T10:00:00.000Z');
  const { createCustomer } = await api.data({
    token: business.live,
    query: create,
    variables: {
      input: {
        code: 'ERIKA',
        externalId: 'u-1',
        firstName: ' Erika ',
        lastName: 'Mustermann',
        companyName: 'Muster GmbH',
        email: 'Erika@Example.com',
        isEmailVerified: true,
        countryCode3Letter: 'DEU',
        locale: 'de-DE',
        metadata: { tier: 'gold', seats: 3 },
      },
    },
  });
  api.setNow(null);
  expect(createCustomer).toEqual({
    customer: {
      id: expect.stringMatching(/^cus_[0-9a-hjkmnp-tv-z]{26}$/),
      name: 'Muster GmbH',
      number: expect.stringMatching(/^K\d{9}$/),
      code: 'ERIKA',
      externalId: 'u-1',
      firstName: 'Erika',
      lastName: 'Mustermann',
      companyName: 'Muster GmbH',
      email: 'Erika@Example.com',
      isEmailVerified: true,
      countryCode3Letter: 'DEU',
      locale: 'de-DE',
      metadata: { tier: 'gold', seats: 3 },
      brand: { id: business.brandId },
      mode: 'LIVE',
      version: 1,
      createdAt: '2026-03-01T10:00:00.000Z',
      updatedAt: '2026-03-01T10:00:00.000Z',
    },
    userErrors: [],
  });
});

test('createCustomer reports all problems at once and creates nothing', async () => {
  const { live } = await newBusiness(api);
  const { createCustomer } = (
    await api.call({
      token: live,
      query: create,
      variables: {
        input: { firstName: 'x'.repeat(256), email: 'no address', countryCode3Letter: 'DE', locale: 'not a tag' },
      },
    })
  ).data;
  expect(createCustomer.customer).toBeNull();
  expect(createCustomer.userErrors.map((error: { path: string[]; code: string }) => [error.code, error.path])).toEqual([
    ['INVALID_INPUT', ['input', 'firstName']],
    ['INVALID_INPUT', ['input', 'email']],
    ['INVALID_INPUT', ['input', 'countryCode3Letter']],
    ['INVALID_INPUT', ['input', 'locale']],
  ]);
  const { customers } = await api.data({ token: live, query: '{ customers { totalCount } }' });
  expect(customers.totalCount).toBe(0);
});

test('updateCustomer leaves what is absent, clears what is null, merges metadata and refuses a stale version', async () => {
  const { live } = await newBusiness(api);
  const customerId = await newCustomer(api, live, {
    email: 'a@example.com',
    isEmailVerified: true,
    code: 'A',
    metadata: { a: 1, b: 2 },
  });
  const query = `mutation ($input: UpdateCustomerInput!) { updateCustomer(input: $input) {
    customer { firstName lastName code email isEmailVerified metadata version }
    userErrors { __typename ... on StaleObject { current path } } } }`;
  const input = { customerId, expectedVersion: 1, code: null, email: 'b@example.com', metadata: { a: null, c: true } };
  const first = await api.data({ token: live, query, variables: { input } });
  expect(first.updateCustomer.customer).toEqual({
    firstName: 'Erika',
    lastName: 'Mustermann',
    code: null,
    email: 'b@example.com',
    isEmailVerified: false,
    metadata: { b: 2, c: true },
    version: 2,
  });
  const stale = await api.call({ token: live, query, variables: { input } });
  expect(stale.data.updateCustomer).toEqual({
    customer: null,
    userErrors: [{ __typename: 'StaleObject', current: 2, path: ['input', 'expectedVersion'] }],
  });
});

test('twenty upserts of one new customer at once create it once', async () => {
  const { live } = await newBusiness(api);
  const query = `mutation ($input: UpsertCustomerInput!) { upsertCustomer(input: $input) { customer { id } created userErrors { message } } }`;
  const answers = await Promise.all(
    Array.from({ length: 20 }, () =>
      api.data({ token: live, query, variables: { input: { externalId: 'new', email: 'new@example.com' } } }),
    ),
  );
  expect(new Set(answers.map(({ upsertCustomer }) => upsertCustomer.customer.id)).size).toBe(1);
  expect(answers.filter(({ upsertCustomer }) => upsertCustomer.created)).toHaveLength(1);
});

test('a foreign customer answers as an unknown one, in every place', async () => {
  const [mine, theirs] = [await newBusiness(api), await newBusiness(api)];
  const customerId = await newCustomer(api, theirs.live);
  const query = `query ($id: ID!) { customer(id: $id) { id } node(id: $id) { id } customers(where: { id: { in: [$id] } }) { nodes { id } } }`;
  for (const token of [mine.live, theirs.test]) {
    expect(await api.data({ token, query, variables: { id: customerId } })).toEqual({
      customer: null,
      node: null,
      customers: { nodes: [] },
    });
  }
  const update = await api.call({
    token: mine.live,
    query: 'mutation ($input: UpdateCustomerInput!) { updateCustomer(input: $input) { userErrors { code path } } }',
    variables: { input: { customerId, firstName: 'Mallory' } },
  });
  expect(update.data.updateCustomer.userErrors).toEqual([
    { code: 'CUSTOMER_NOT_FOUND', path: ['input', 'customerId'] },
  ]);
});

test('a narrow key and a session see what they may', async () => {
  const { live } = await newBusiness(api);
  const customerId = await newCustomer(api, live, { email: 'own@example.com' });
  const other = await newCustomer(api, live, { email: 'other@example.com' });
  const narrow = await newApiKey(api, live, ['LICENSES_READ']);
  const denied = await api.call({ token: narrow, query: create, variables: { input: {} } });
  expect(denied.errors?.map((error) => [error.extensions.code, error.path])).toEqual([
    ['FORBIDDEN', ['createCustomer']],
  ]);
  const session = await newSession(api, live, customerId);
  const query =
    'query ($own: ID!, $other: ID!) { own: customer(id: $own) { email } other: customer(id: $other) { email } }';
  const seen = await api.data({ token: session, query, variables: { own: customerId, other } });
  expect(seen).toEqual({ own: { email: 'own@example.com' }, other: null });
});

test('customers are searched, filtered and paged without gaps or repeats when they share an instant', async () => {
  const { live } = await newBusiness(api);
  api.setNow('2026-03-01T10:00:00.000Z');
  for (let i = 0; i < 7; i++) await newCustomer(api, live, { firstName: `F${i}`, code: `C${i}`, metadata: { i } });
  api.setNow(null);
  const query = `query ($after: String, $first: Int) { customers(first: $first, after: $after, orderBy: { direction: ASC }) {
    nodes { code } pageInfo { hasNextPage hasPreviousPage endCursor } totalCount totalCountIsCapped } }`;
  const codes: string[] = [];
  let after: string | null = null;
  do {
    const { customers }: any = await api.data({ token: live, query, variables: { after, first: 3 } });
    expect([customers.totalCount, customers.totalCountIsCapped]).toEqual([7, false]);
    codes.push(...customers.nodes.map((node: { code: string }) => node.code));
    after = customers.pageInfo.hasNextPage ? customers.pageInfo.endCursor : null;
  } while (after);
  expect(codes).toEqual(['C0', 'C1', 'C2', 'C3', 'C4', 'C5', 'C6']);
  const found = await api.data({
    token: live,
    query:
      '{ search: customers(search: "f3 MUST") { nodes { code } } meta: customers(where: { metadata: { key: "i", eq: "4" } }) { nodes { code } } }',
  });
  expect(found).toEqual({ search: { nodes: [{ code: 'C3' }] }, meta: { nodes: [{ code: 'C4' }] } });
});

test('upsertCustomer leaves the customers of another brand alone', async () => {
  const { live } = await newBusiness(api);
  await newCustomer(api, live, { externalId: 'X1' });
  await api.data({
    token: live,
    query:
      'mutation { createBrand(input: { name: "Other", url: "other.upsert.example" }) { brand { id } userErrors { code } } }',
  });
  const answer = await api.call({
    token: live,
    query:
      'mutation ($input: UpsertCustomerInput!) { upsertCustomer(input: $input) { customer { id } userErrors { code path } } }',
    variables: { input: { externalId: 'X1', firstName: 'Hijacked' } },
    headers: { 'brand-url': 'other.upsert.example' },
  });
  expect(answer.data.upsertCustomer).toEqual({
    customer: null,
    userErrors: [{ code: 'BRAND_MISMATCH', path: ['input', 'externalId'] }],
  });
  const { customers } = await api.data({ token: live, query: '{ customers { nodes { firstName } } }' });
  expect(customers.nodes).toEqual([{ firstName: 'Erika' }]);
});

test('upserts that name one new customer in different ways at once make one customer', async () => {
  const { live } = await newBusiness(api);
  const query = `mutation ($input: UpsertCustomerInput!) { upsertCustomer(input: $input) { customer { id } userErrors { code } } }`;
  for (let round = 0; round < 10; round++) {
    const email = `round-${round}@example.com`;
    const inputs = [{ email }, { email: email.toUpperCase(), externalId: `e-${round}` }];
    const answers = await Promise.all(inputs.map((input) => api.data({ token: live, query, variables: { input } })));
    expect(new Set(answers.map(({ upsertCustomer }) => upsertCustomer.customer.id)).size).toBe(1);
  }
});

test.each(['007', '-01', '00', '1e5', '1'.repeat(400), 'true', '3', '-0.5', '"', '\\'])(
  'the metadata filter takes %j for what it is',
  async (eq) => {
    const { live } = await newBusiness(api);
    await newCustomer(api, live, { code: 'TEXT', metadata: { k: eq } });
    const query = 'query ($eq: String!) { customers(where: { metadata: { key: "k", eq: $eq } }) { nodes { code } } }';
    expect(await api.data({ token: live, query, variables: { eq } })).toEqual({
      customers: { nodes: [{ code: 'TEXT' }] },
    });
  },
);

test('a name is one line', async () => {
  const { live } = await newBusiness(api);
  const answer = await api.call({
    token: live,
    query: create,
    variables: { input: { firstName: 'Erika\nBcc: x', lastName: 'a\tb' } },
  });
  expect(answer.data.createCustomer.userErrors.map((error: { path: string[] }) => error.path.at(-1))).toEqual([
    'firstName',
    'lastName',
  ]);
});
