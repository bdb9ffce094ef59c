import { beforeAll, expect, test } from '@jest/globals';
import { useApi } from '../support/api.js';
import { newApiKey, newBusiness, newCustomer, newSession, type TestBusiness } from '../support/business.js';
import { changesOf, rowId, rowsOf } from '../support/licenses.js';
import { newWorld, purchaseInput, type World } from '../support/world.js';

const api = useApi();
const DAY = 86_400_000;
const start = new Date('2026-01-01T00:00:00.000Z');
const after = (days: number) => new Date(start.getTime() + days * DAY).toISOString();

let business: TestBusiness;
let token: string;
let world: World;
beforeAll(async () => {
  api.setNow(start);
  business = await newBusiness(api);
  token = business.live;
  world = await newWorld(api, token);
});

const query = `mutation ($input: ApplyLicenseInput!) { applyLicense(input: $input) {
  license { id status validFrom validUntil usedAt usedBy { id name } version licenseKeys { last4 status key } }
  userErrors { __typename code path ... on LicenseAlreadyUsed { usedAt } ... on IllegalLicenseState { status validity } } } }`;
async function apply(input: object, caller = token): Promise<any> {
  const answer = await api.call({ token: caller, query, variables: { input } });
  expect(answer.errors).toBeUndefined();
  return answer.data.applyLicense;
}
const codes = (payload: { userErrors: { code: string }[] }) => payload.userErrors.map(({ code }) => code);

/** Licenses that were bought for 30 days from the start. */
async function bought(quantity: number, customerId = world.customerId): Promise<string[]> {
  const input = purchaseInput(world, { quantity, customerId, startDate: start, endDate: after(30) });
  const { purchaseLicensesByWallet } = await api.data({
    token,
    query: `mutation ($input: PurchaseLicensesByWalletInput!) { purchaseLicensesByWallet(input: $input) { licenses { id } userErrors { message } } }`,
    variables: { input },
  });
  return purchaseLicensesByWallet.licenses.map(({ id }: { id: string }) => id);
}

test('the first is marked as used; the next of the package move behind each other, on its key', async () => {
  const customerId = await newCustomer(api, token);
  const [first, second, third] = (await bought(3, customerId)) as [string, string, string];
  api.setNow(after(10));
  const one = await apply({ licenseId: first, customerId });
  expect(one.userErrors).toEqual([]);
  expect(one.license).toEqual({
    id: first,
    status: 'ACTIVE',
    validFrom: after(0),
    validUntil: after(30),
    usedAt: after(10),
    usedBy: { id: customerId, name: 'Erika Mustermann' },
    version: 2,
    licenseKeys: [{ last4: expect.any(String), status: 'ACTIVE', key: expect.any(String) }],
  });
  const [key] = one.license.licenseKeys;
  const two = await apply({ licenseId: second, customerId });
  expect(two.license).toMatchObject({
    status: 'PENDING',
    validFrom: after(30),
    validUntil: after(60),
    usedAt: after(10),
  });
  const own = two.license.licenseKeys.filter(({ key: text }: { key: string }) => text !== key.key);
  expect(two.license.licenseKeys).toContainEqual(key);
  expect(own.map(({ status }: { status: string }) => status)).toEqual(['DISABLED']);
  expect((await apply({ licenseId: third, customerId })).license).toMatchObject({
    validFrom: after(60),
    validUntil: after(90),
  });
  expect((await changesOf(api, second)).at(-1)).toMatchObject({ type: 'license.applied', sequence: 2 });
  api.setNow(after(45));
  const { license } = await api.data({
    token,
    query: 'query ($id: ID!) { license(id: $id) { status isActive } }',
    variables: { id: second },
  });
  expect(license).toEqual({ status: 'ACTIVE', isActive: true });
  api.setNow(start);
});

test('a session applies its own by its key; another customer gets nothing of it', async () => {
  const customerId = await newCustomer(api, token);
  const [id] = (await bought(1, customerId)) as [string];
  const session = await newSession(api, token, customerId);
  const stranger = await newSession(api, token, await newCustomer(api, token));
  const { license } = await api.data({
    token,
    query: 'query ($id: ID!) { license(id: $id) { licenseKeys { key } } }',
    variables: { id },
  });
  const { key } = license.licenseKeys[0];
  expect(codes(await apply({ key }, stranger))).toEqual(['LICENSE_NOT_FOUND']);
  expect(codes(await apply({ licenseId: id }, stranger))).toEqual(['LICENSE_NOT_FOUND']);
  expect(codes(await apply({ key, customerId: world.customerId }, session))).toEqual(['CUSTOMER_NOT_FOUND']);
  expect((await apply({ key: key.toLowerCase() }, session)).license).toMatchObject({ id, usedBy: { id: customerId } });
  // What is wrong with the license is said of what named it.
  expect((await apply({ key }, session)).userErrors).toMatchObject([
    { code: 'LICENSE_ALREADY_USED', path: ['input', 'key'] },
  ]);
});

test('it refuses and changes nothing', async () => {
  const customerId = await newCustomer(api, token);
  const [used, paused, ended] = (await bought(3, customerId)) as [string, string, string];
  await apply({ licenseId: used, customerId });
  await api.data({
    token,
    query: 'mutation ($input: PauseLicenseInput!) { pauseLicense(input: $input) { userErrors { message } } }',
    variables: { input: { licenseId: paused } },
  });
  const before = await rowsOf(api);
  expect((await apply({ licenseId: used, customerId })).userErrors).toEqual([
    { __typename: 'LicenseAlreadyUsed', code: 'LICENSE_ALREADY_USED', path: ['input', 'licenseId'], usedAt: after(0) },
  ]);
  expect((await apply({ licenseId: paused, customerId })).userErrors[0]).toMatchObject({
    status: 'PAUSED',
    validity: 'CURRENT',
  });
  expect(codes(await apply({ licenseId: ended }))).toEqual(['INVALID_INPUT']);
  expect(codes(await apply({ customerId }))).toEqual(['INVALID_INPUT']);
  expect(codes(await apply({ licenseId: ended, key: 'X', customerId }))).toEqual(['INVALID_INPUT']);
  expect(codes(await apply({ licenseId: ended, customerCode: 'nobody' }))).toEqual(['CUSTOMER_NOT_FOUND']);
  expect(codes(await apply({ key: 'no such key', customerId }))).toEqual(['LICENSE_NOT_FOUND']);
  expect(codes(await apply({ licenseId: ended, customerId, expectedVersion: 7 }))).toEqual(['STALE_OBJECT']);
  expect(await rowsOf(api)).toBe(before);
  await api.db.writer.pool.query('UPDATE licenses SET valid_until = NULL WHERE id = $1', [rowId(used)]);
  expect(codes(await apply({ licenseId: ended, customerId }))).toEqual(['LICENSE_PERMANENT']);
});

test('races: one license is used once, and several of a package find different places', async () => {
  const customerId = await newCustomer(api, token);
  const ids = await bought(5, customerId);
  const first = ids[0] as string;
  const same = await Promise.all([1, 2, 3].map(() => apply({ licenseId: first, customerId })));
  expect(same.flatMap(codes)).toEqual(['LICENSE_ALREADY_USED', 'LICENSE_ALREADY_USED']);
  const rest = await Promise.all(ids.slice(1).map((licenseId) => apply({ licenseId, customerId })));
  expect(rest.flatMap(codes)).toEqual([]);
  expect(rest.map(({ license }) => license.validFrom).sort()).toEqual([after(30), after(60), after(90), after(120)]);
});

test('not yours, not allowed', async () => {
  const [licenseId] = (await bought(1)) as [string];
  const theirs = await newBusiness(api);
  const theirCustomer = await newCustomer(api, theirs.live);
  expect(codes(await apply({ licenseId, customerId: theirCustomer }, theirs.live))).toEqual(['LICENSE_NOT_FOUND']);
  expect(codes(await apply({ licenseId, customerId: theirCustomer }))).toEqual(['CUSTOMER_NOT_FOUND']);
  expect(codes(await apply({ licenseId, customerId: world.customerId }, business.test))).toEqual(['MODE_MISMATCH']);
  const narrow = await newApiKey(api, token, ['LICENSES_READ']);
  const answer = await api.call({
    token: narrow,
    query,
    variables: { input: { licenseId, customerId: world.customerId } },
  });
  expect(answer.errors?.[0]?.extensions.code).toBe('FORBIDDEN');
});
