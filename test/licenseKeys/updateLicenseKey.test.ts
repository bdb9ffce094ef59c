import { expect, test } from '@jest/globals';
import { useApi } from '../support/api.js';
import { newApiKey, newBusiness, newCustomer, newSession } from '../support/business.js';
import { newLicenseKey } from '../support/licenseKeys.js';
import { changesOf, newLicense, rowsOf } from '../support/licenses.js';
import { callKey, findByText, refusals } from './keyCalls.js';

const api = useApi();
const update = (token: string, input: Record<string, unknown>) => callKey(api, token, 'updateLicenseKey', input);

test('absent leaves, null clears, metadata merges, and a change of nothing is none', async () => {
  const { live } = await newBusiness(api);
  const licenseKeyId = await newLicenseKey(api, live, { metadata: { a: 1, b: 2 } });
  const set = await update(live, {
    licenseKeyId,
    activationsLimit: 5,
    expiresAt: '2099-01-01',
    metadata: { b: null, c: 3 },
    expectedVersion: 1,
  });
  expect(set.userErrors).toEqual([]);
  expect(set.licenseKey).toMatchObject({
    id: licenseKeyId,
    activationsLimit: 5,
    expiresAt: '2099-01-01T00:00:00.000Z',
    metadata: { a: 1, c: 3 },
    version: 2,
  });
  expect((await update(live, { licenseKeyId, activationsLimit: 5 })).licenseKey.version).toBe(2);
  const cleared = await update(live, { licenseKeyId, activationsLimit: null });
  expect(cleared.licenseKey).toMatchObject({
    activationsLimit: null,
    expiresAt: '2099-01-01T00:00:00.000Z',
    version: 3,
  });
  expect((await changesOf(api, licenseKeyId)).slice(1)).toMatchObject([
    { type: 'license_key.updated', sequence: 2, before: { activationsLimit: null }, after: { activationsLimit: 5 } },
    { type: 'license_key.updated', sequence: 3, before: { activationsLimit: 5 }, after: { activationsLimit: null } },
  ]);
});

test('what cannot be is refused and changes nothing', async () => {
  const { live } = await newBusiness(api);
  const licenseKeyId = await newLicenseKey(api, live);
  const before = await rowsOf(api);
  const both = ['INVALID_ACTIVATIONS_LIMIT input.activationsLimit', 'INVALID_EXPIRY input.expiresAt'];
  expect(refusals(await update(live, { licenseKeyId, activationsLimit: 0, expiresAt: '2020-01-01' }))).toEqual(both);
  expect(refusals(await update(live, { licenseKeyId, expectedVersion: 2 }))).toEqual([
    'STALE_OBJECT input.expectedVersion',
  ]);
  expect(refusals(await update(live, { licenseKeyId: 'lkey_x' }))).toEqual([
    'LICENSE_KEY_NOT_FOUND input.licenseKeyId',
  ]);
  expect(await rowsOf(api)).toBe(before);
});

test('of many updates that expect one version one is made; of different fields all are kept', async () => {
  const { live } = await newBusiness(api);
  const licenseKeyId = await newLicenseKey(api, live);
  const once = await Promise.all(
    Array.from({ length: 12 }, (_, i) => update(live, { licenseKeyId, activationsLimit: i + 1, expectedVersion: 1 })),
  );
  expect(once.flatMap(refusals)).toEqual(Array(11).fill('STALE_OBJECT input.expectedVersion'));
  await Promise.all(Array.from({ length: 12 }, (_, i) => update(live, { licenseKeyId, metadata: { [`k${i}`]: i } })));
  const { licenseKey } = await update(live, { licenseKeyId });
  expect([Object.keys(licenseKey.metadata as object).length, licenseKey.version]).toEqual([12, 14]);
});

test('not another tenant’s, not the other mode’s, not without the scope, not by a session', async () => {
  const [mine, theirs] = [await newBusiness(api), await newBusiness(api)];
  const customerId = await newCustomer(api, mine.live);
  const input = { licenseKeyId: await newLicenseKey(api, mine.live, { customerId }), activationsLimit: 1 };
  expect(refusals(await update(theirs.live, input))).toEqual(['LICENSE_KEY_NOT_FOUND input.licenseKeyId']);
  expect(refusals(await update(mine.test, input))).toEqual(['MODE_MISMATCH input.licenseKeyId']);
  const query = 'mutation ($input: UpdateLicenseKeyInput!) { updateLicenseKey(input: $input) { userErrors { code } } }';
  for (const token of [
    await newApiKey(api, mine.live, ['LICENSE_KEYS_READ']),
    await newSession(api, mine.live, customerId),
  ]) {
    const answer = await api.call({ token, query, variables: { input } });
    expect(answer.errors?.map(({ extensions }) => extensions.code)).toEqual(['FORBIDDEN']);
  }
});

test('keys are listed by customer, license, status, source, last four, text, times and metadata', async () => {
  const { live } = await newBusiness(api);
  const customerId = await newCustomer(api, live);
  const licenseId = await newLicense(api, live, { customerId });
  const one = await newLicenseKey(api, live, {
    key: 'LIST-0001',
    customerId,
    licenseId,
    expiresAt: '2030-01-01',
    metadata: { shop: 'a' },
  });
  const two = await newLicenseKey(api, live, { key: 'LIST-0002' });
  await callKey(api, live, 'disableLicenseKey', { licenseKeyId: two });
  const { licenseKey: three } = await callKey(api, live, 'issueLicenseKey', { licenseId, key: 'LIST-0003' });
  const query = 'query ($where: LicenseKeyWhere) { licenseKeys(where: $where) { totalCount nodes { id } } }';
  const list = async (where: object, token = live) => {
    const { licenseKeys } = await api.data({ token, query, variables: { where } });
    expect(licenseKeys.totalCount).toBe(licenseKeys.nodes.length);
    return licenseKeys.nodes.map(({ id }: { id: string }) => id);
  };
  expect(await list({})).toEqual([three.id, two, one]);
  expect(await list({ customerId: { in: [customerId] } })).toEqual([three.id, one]);
  expect(await list({ licenseId: { in: [licenseId] }, source: { in: ['IMPORTED'] } })).toEqual([one]);
  expect(await list({ status: { in: ['DISABLED'] } })).toEqual([two]);
  expect(await list({ last4: { in: ['0001', '0002'] } })).toEqual([two, one]);
  expect(await list({ id: { in: [two, 'nonsense'] } })).toEqual([two]);
  expect(await list({ expiresAt: { gte: '2029-12-31', lt: '2030-01-02' } })).toEqual([one]);
  expect(await list({ createdAt: { lt: '2020-01-01' } })).toEqual([]);
  expect(await list({ metadata: { key: 'shop', eq: 'a' } })).toEqual([one]);
  expect(await list({ key: 'list 0002' })).toEqual([two]);
  expect(await list({ key: 'list 0009' })).toEqual([]);
  const session = await newSession(api, live, customerId);
  expect(await list({}, session)).toEqual([three.id, one]);
  expect(await list({ key: 'LIST-0002' }, session)).toEqual([]);
  const other = await newBusiness(api);
  expect(await findByText(api, other.live, 'LIST-0001')).toEqual([]);
  const nested =
    'query ($id: ID!) { customer(id: $id) { licenseKeys(first: 1) { nodes { id } pageInfo { hasNextPage } } } }';
  expect(
    (await api.data({ token: session, query: nested, variables: { id: customerId } })).customer.licenseKeys,
  ).toEqual({
    nodes: [{ id: three.id }],
    pageInfo: { hasNextPage: true },
  });
});

test('a list of keys in full is recorded key by key in two statements, whatever its length', async () => {
  const { live } = await newBusiness(api);
  const customerId = await newCustomer(api, live);
  for (let i = 0; i < 5; i++) await newLicenseKey(api, live, { key: `SHOWN-${i}`, customerId });
  const query = '{ licenseKeys(first: 5) { nodes { id key } } }';
  const { licenseKeys } = await api.data({ token: live, query });
  expect(licenseKeys.nodes.map(({ key }: { key: string }) => key).sort()).toEqual(
    Array.from({ length: 5 }, (_, i) => `SHOWN-${i}`),
  );
  for (const { id } of licenseKeys.nodes) {
    expect((await changesOf(api, id)).map(({ type }) => type)).toEqual(['license_key.created', 'license_key.revealed']);
  }
});
