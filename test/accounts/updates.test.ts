import { expect, test } from '@jest/globals';
import { useApi } from '../support/api.js';
import { newApiKey, newBusiness, newCustomer, newSession, type TestBusiness } from '../support/business.js';

const api = useApi();
const noon = '2026-03-01T12:00:00.000Z';
const errors = 'userErrors { __typename message path code ... on StaleObject { current } }';
const updateBusiness = `mutation ($input: UpdateBusinessInput!) { updateBusiness(input: $input) {
  business { id name managedBilling brands { id } metadata version createdAt updatedAt } ${errors} } }`;
const updateBrand = `mutation ($input: UpdateBrandInput!) { updateBrand(input: $input) {
  brand { id name url isPrimary metadata version createdAt updatedAt } ${errors} } }`;
const listBrands =
  'query ($where: BrandWhere) { brands(where: $where, orderBy: { direction: ASC }) { nodes { id name } totalCount } }';

async function run(token: string, query: string, input: object): Promise<any> {
  api.setNow(noon);
  const { data, errors: faults } = await api.call({ token, query, variables: { input } });
  api.setNow(null);
  if (faults) throw new Error(JSON.stringify(faults));
  return Object.values(data)[0];
}

async function refusals(token: string, query: string, input: object): Promise<string[][]> {
  const { userErrors, ...objects } = await run(token, query, input);
  expect(Object.values(objects)).toEqual([null]);
  return userErrors.map((error: { code: string; path: string[] }) => [error.code, error.path.join('.')]);
}

async function newBrand(token: string, url: string): Promise<string> {
  const { createBrand } = await api.data({
    token,
    query: 'mutation ($input: CreateBrandInput!) { createBrand(input: $input) { brand { id } userErrors { code } } }',
    variables: { input: { name: 'Second', url } },
  });
  return createBrand.brand.id;
}

/** Versions of a business and its brands, and what was recorded of them. */
async function stateOf({ brandUrl }: TestBusiness): Promise<unknown> {
  const ofBusiness = '(SELECT business_id FROM brands WHERE url = $1)';
  const rows = await api.db.sql<object>(
    null,
    `SELECT 'business' AS what, version FROM businesses WHERE id = ${ofBusiness}
     UNION ALL SELECT name || is_primary, version FROM brands WHERE business_id = ${ofBusiness}
     UNION ALL SELECT type, sequence FROM changes WHERE business_id = ${ofBusiness} ORDER BY 1, 2`,
    [brandUrl],
  );
  return rows.map((row) => ({ ...row }));
}

test('updateBusiness changes what is given, merges metadata and records before and after; nothing changed is no change', async () => {
  const business = await newBusiness(api, { metadata: { a: 1, b: 2 } });
  const input = { name: ' Acme ', managedBilling: true, metadata: { a: null, c: 3 }, expectedVersion: 1 };
  const { business: changed, userErrors } = await run(business.live, updateBusiness, input);
  expect([changed, userErrors]).toEqual([
    {
      id: business.id,
      name: 'Acme',
      managedBilling: true,
      brands: [{ id: business.brandId }],
      metadata: { b: 2, c: 3 },
      version: 2,
      createdAt: expect.any(String),
      updatedAt: noon,
    },
    [],
  ]);
  const [change] = await api.db.sql<object>(
    null,
    `SELECT before, after, sequence, snapshot->>'name' AS name FROM changes
      WHERE type = 'business.updated' AND business_id = (SELECT business_id FROM brands WHERE url = $1)`,
    [business.brandUrl],
  );
  expect({ ...change }).toEqual({
    before: { name: 'Acme Software', managedBilling: false, metadata: { a: 1, b: 2 } },
    after: { name: 'Acme', managedBilling: true, metadata: { b: 2, c: 3 } },
    sequence: 2,
    name: 'Acme',
  });
  const before = await stateOf(business);
  expect((await run(business.live, updateBusiness, { name: 'Acme' })).business.version).toBe(2);
  expect(await stateOf(business)).toEqual(before);
  expect((await run(business.live, updateBusiness, { metadata: null })).business.metadata).toEqual({});
});

test('updateBrand changes what is given, and its new URL selects it in the place of the former one', async () => {
  const business = await newBusiness(api);
  const url = `new.${business.brandUrl}`;
  const input = { brandId: business.brandId, name: ' Shop ', url: `https://${url.toUpperCase()}/`, metadata: { a: 1 } };
  expect(await run(business.live, updateBrand, input)).toEqual({
    brand: {
      id: business.brandId,
      name: 'Shop',
      url,
      isPrimary: true,
      metadata: { a: 1 },
      version: 2,
      createdAt: expect.any(String),
      updatedAt: noon,
    },
    userErrors: [],
  });
  const under = async (brandUrl: string) =>
    (await api.call({ token: business.live, query: '{ __typename }', headers: { 'brand-url': brandUrl } })).status;
  expect(await under(url)).toBe(200);
  const renamedAt = Date.now();
  // Brands are remembered for a second.
  while ((await under(business.brandUrl)) !== 400) expect(Date.now() - renamedAt).toBeLessThan(1_500);
});

test('a brand that is made the primary one takes that from the one that was, also in a race', async () => {
  const business = await newBusiness(api);
  const ids = await Promise.all(
    ['a', 'b', 'c', 'd'].map((name) => newBrand(business.live, `${name}.${business.brandUrl}`)),
  );
  const first = await run(business.live, updateBrand, { brandId: ids[0], makePrimary: true });
  expect([first.brand.isPrimary, first.brand.version]).toEqual([true, 2]);
  const { brand: former } = await api.data({
    token: business.live,
    query: 'query ($id: ID!) { brand(id: $id) { isPrimary version } }',
    variables: { id: business.brandId },
  });
  expect(former).toEqual({ isPrimary: false, version: 2 });
  const again = await run(business.live, updateBrand, { brandId: ids[0], makePrimary: true });
  expect(again.brand.version).toBe(2);
  const answers = await Promise.all(
    [...ids, ...ids].map((brandId) =>
      api.call({ token: business.live, query: updateBrand, variables: { input: { brandId, makePrimary: true } } }),
    ),
  );
  expect(answers.map(({ data }) => data.updateBrand.userErrors)).toEqual(answers.map(() => []));
  const { business: shown } = await api.data({ token: business.live, query: '{ business { brands { isPrimary } } }' });
  expect(shown.brands.map(({ isPrimary }: { isPrimary: boolean }) => isPrimary)).toEqual([
    true,
    false,
    false,
    false,
    false,
  ]);
});

test('updates refuse what does not fit, all at once, and change nothing', async () => {
  const [business, other] = [await newBusiness(api), await newBusiness(api)];
  const { live, brandId } = business;
  const before = await stateOf(business);
  expect(
    await refusals(live, updateBusiness, { name: null, managedBilling: null, metadata: { ['k'.repeat(41)]: 1 } }),
  ).toEqual([
    ['INVALID_INPUT', 'input.name'],
    ['INVALID_INPUT', 'input.managedBilling'],
    ['INVALID_INPUT', `input.metadata.${'k'.repeat(41)}`],
  ]);
  expect(await refusals(live, updateBusiness, { name: ' ' })).toEqual([['INVALID_INPUT', 'input.name']]);
  expect(await refusals(live, updateBrand, { brandId, name: null, url: null })).toEqual([
    ['INVALID_INPUT', 'input.name'],
    ['INVALID_INPUT', 'input.url'],
  ]);
  expect(await refusals(live, updateBrand, { brandId, url: 'not a host' })).toEqual([['INVALID_INPUT', 'input.url']]);
  expect(await refusals(live, updateBrand, { brandId, url: other.brandUrl })).toEqual([
    ['BRAND_URL_TAKEN', 'input.url'],
  ]);
  expect(await refusals(live, updateBrand, { brandId: other.brandId, name: 'x' })).toEqual([
    ['BRAND_NOT_FOUND', 'input.brandId'],
  ]);
  expect(await refusals(live, updateBrand, { brandId: 'x', name: 'x' })).toEqual([
    ['BRAND_NOT_FOUND', 'input.brandId'],
  ]);
  for (const [query, input] of [
    [updateBusiness, { name: 'x' }],
    [updateBrand, { brandId, name: 'x' }],
  ] as const) {
    const stale = await run(live, query, { ...input, expectedVersion: 7 });
    expect(stale.userErrors).toMatchObject([{ code: 'STALE_OBJECT', path: ['input', 'expectedVersion'], current: 1 }]);
  }
  expect(await stateOf(business)).toEqual(before);
});

test('of many updates that expect one version, one is made', async () => {
  const { live, brandId } = await newBusiness(api);
  for (const [query, input] of [
    [updateBusiness, { expectedVersion: 1 }],
    [updateBrand, { brandId, expectedVersion: 1 }],
  ] as const) {
    const answers = await Promise.all(
      Array.from({ length: 12 }, (_, i) =>
        api.call({ token: live, query, variables: { input: { ...input, name: `No ${i}` } } }),
      ),
    );
    const codes = answers.flatMap(({ data }) => (Object.values(data)[0] as any).userErrors.map((e: any) => e.code));
    expect(codes).toEqual(Array(11).fill('STALE_OBJECT'));
  }
});

test('brands are listed within the business, by id and URL', async () => {
  const [business, other] = [await newBusiness(api), await newBusiness(api)];
  const second = await newBrand(business.live, `second.${business.brandUrl}`);
  const list = async (where?: object) =>
    (await api.data({ token: business.test, query: listBrands, variables: { where } })).brands;
  expect(await list()).toEqual({
    nodes: [
      { id: business.brandId, name: 'Acme Software' },
      { id: second, name: 'Second' },
    ],
    totalCount: 2,
  });
  expect((await list({ id: { in: [second, other.brandId, 'x'] } })).nodes).toEqual([{ id: second, name: 'Second' }]);
  expect((await list({ url: { in: [business.brandUrl, other.brandUrl] } })).totalCount).toBe(1);
});

test('a business is changed with BUSINESS_WRITE only', async () => {
  const { live, brandId } = await newBusiness(api);
  const reader = await newApiKey(api, live, ['BUSINESS_READ']);
  const session = await newSession(api, live, await newCustomer(api, live));
  for (const [query, input] of [
    [updateBusiness, { name: 'x' }],
    [updateBrand, { brandId, name: 'x' }],
  ] as const) {
    for (const [token, code] of [
      [reader, 'FORBIDDEN'],
      [session, 'FORBIDDEN'],
      [null, 'UNAUTHENTICATED'],
    ] as const) {
      const answer = await api.call({ token, query, variables: { input } });
      expect(answer.errors?.map((error) => error.extensions.code)).toEqual([code]);
    }
  }
});
