import { beforeAll, expect, test } from '@jest/globals';
import { useApi } from '../support/api.js';
import { newApiKey, newBusiness, newCustomer, newSession, type TestBusiness } from '../support/business.js';
import { changesOf, newLicense, rowsOf } from '../support/licenses.js';

const api = useApi();
let business: TestBusiness;
let token: string;
let customerId: string;
beforeAll(async () => {
  business = await newBusiness(api);
  token = business.live;
  customerId = await newCustomer(api, token);
});

const update = `mutation ($input: UpdateLicenseInput!) { updateLicense(input: $input) {
  license { id version description tags details metadata } userErrors { code path } } }`;
async function call(query: string, input: object, caller = token, headers: Record<string, string> = {}): Promise<any> {
  const answer = await api.call({ token: caller, query, variables: { input }, headers });
  expect(answer.errors).toBeUndefined();
  return Object.values(answer.data as object)[0];
}
const license = (fields: object = {}) => newLicense(api, token, { customerId, ...fields });

test('updateLicense: absent leaves, null clears, metadata merges, nothing changed writes nothing', async () => {
  const licenseId = await license({ metadata: { a: 1, b: 2 }, details: { old: true } });
  const first = { description: ' Note ', tags: ['x, y', ' z '], details: { fresh: 1 }, metadata: { b: null, c: 'd' } };
  expect(await call(update, { licenseId, ...first, expectedVersion: 1 })).toEqual({
    license: {
      id: licenseId,
      version: 2,
      description: 'Note',
      tags: ['x', 'y', 'z'],
      details: { fresh: 1 },
      metadata: { a: 1, c: 'd' },
    },
    userErrors: [],
  });
  expect((await call(update, { licenseId, description: 'Note' })).license.version).toBe(2);
  expect(
    (await call(update, { licenseId, description: null, tags: null, details: null, metadata: null })).license,
  ).toEqual({
    id: licenseId,
    version: 3,
    description: null,
    tags: [],
    details: null,
    metadata: {},
  });
  expect((await changesOf(api, licenseId)).map(({ type }) => type)).toEqual([
    'license.created',
    'license.updated',
    'license.updated',
  ]);
  const before = await rowsOf(api);
  const wrong = { description: 'x'.repeat(2001), tags: ['t'.repeat(65)], metadata: { ['k'.repeat(41)]: 1 } };
  expect((await call(update, { licenseId, ...wrong })).userErrors).toHaveLength(3);
  expect((await call(update, { licenseId, expectedVersion: 1 })).userErrors[0].code).toBe('STALE_OBJECT');
  expect(await rowsOf(api)).toBe(before);
});

test('races: of updates that expect one version one is made', async () => {
  const licenseId = await license();
  const answers = await Promise.all(
    [1, 2, 3].map((i) => call(update, { licenseId, description: `Note ${i}`, expectedVersion: 1 })),
  );
  expect(answers.flatMap(({ userErrors }) => userErrors.map(({ code }: { code: string }) => code))).toEqual([
    'STALE_OBJECT',
    'STALE_OBJECT',
  ]);
});

test('not yours and not allowed: notes nothing', async () => {
  const licenseId = await license();
  const theirs = await newBusiness(api);
  const url = 'elsewhere.update.example';
  await api.data({
    token,
    query: 'mutation ($input: CreateBrandInput!) { createBrand(input: $input) { userErrors { message } } }',
    variables: { input: { name: 'Elsewhere', url } },
  });
  const session = await newSession(api, token, customerId);
  const reader = await newApiKey(api, token, ['LICENSES_READ']);
  const before = await rowsOf(api);
  const input = { licenseId, description: 'Mine' };
  expect((await call(update, input, theirs.live)).userErrors[0].code).toBe('LICENSE_NOT_FOUND');
  expect((await call(update, input, business.test)).userErrors[0].code).toBe('MODE_MISMATCH');
  expect((await call(update, input, token, { 'brand-url': url })).userErrors[0].code).toBe('BRAND_MISMATCH');
  for (const caller of [session, reader]) {
    const answer = await api.call({ token: caller, query: update, variables: { input } });
    expect(answer.errors?.[0]?.extensions.code).toBe('FORBIDDEN');
  }
  expect(await rowsOf(api)).toBe(before);
});
