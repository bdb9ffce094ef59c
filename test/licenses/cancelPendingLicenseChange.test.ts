import { afterEach, expect, test } from '@jest/globals';
import { useApi } from '../support/api.js';
import { newApiKey, newBusiness, newCustomer, newSession } from '../support/business.js';
import { newProductOffering } from '../support/catalog.js';
import { changeLicense, changesOf, newLicense, rowId, rowsOf, runDueChanges } from '../support/licenses.js';

const api = useApi();
afterEach(() => api.setNow(null));

const now = '2026-03-01T10:00:00.000Z';
const at = '2026-05-01T00:00:00.000Z';

test('what is scheduled is dropped: the license stays as it is past the instant, and the history says who and why', async () => {
  const { live } = await newBusiness(api);
  api.setNow(now);
  const id = await newLicense(api, live);
  await changeLicense(api, live, 'pause', id, { at });
  const { license, userErrors } = await changeLicense(api, live, 'cancelPending', id, {
    expectedVersion: 2,
    reason: ' no ',
  });
  expect([license, userErrors]).toEqual([
    {
      id,
      status: 'ACTIVE',
      validFrom: now,
      validUntil: null,
      validity: 'CURRENT',
      isActive: true,
      activatedAt: now,
      pausedAt: null,
      cancelledAt: null,
      version: 3,
      pendingStatus: null,
    },
    [],
  ]);
  expect((await changesOf(api, id)).at(-1)).toMatchObject({
    type: 'license.change_cancelled',
    sequence: 3,
    actor_kind: 'API_KEY',
    reason: 'no',
    before: { pendingStatus: 'PAUSED', pendingStatusAt: at },
    after: { pendingStatus: null, pendingStatusAt: null },
  });
  expect(await runDueChanges(api, '2026-06-01T00:00:00.000Z')).toBe(0);
  api.setNow('2026-06-01T00:00:00.000Z');
  const query = 'query ($id: ID!) { license(id: $id) { status } }';
  expect(await api.data({ token: live, query, variables: { id } })).toEqual({ license: { status: 'ACTIVE' } });
});

test('a scheduled change of offering is dropped as well, together with one of status', async () => {
  const { live } = await newBusiness(api);
  api.setNow(now);
  const id = await newLicense(api, live);
  const other = await newProductOffering(api, live);
  await changeLicense(api, live, 'pause', id, { at });
  await api.db.sql(null, 'UPDATE licenses SET pending_offering_id = $2, pending_offering_at = $3 WHERE id = $1', [
    rowId(id),
    rowId(other),
    at,
  ]);
  expect((await changeLicense(api, live, 'cancelPending', id)).userErrors).toEqual([]);
  expect((await changesOf(api, id)).at(-1)?.after).toEqual({
    pendingStatus: null,
    pendingStatusAt: null,
    pendingOfferingId: null,
    pendingOfferingAt: null,
  });
});

test('where nothing is scheduled it is refused and changes nothing: a start is no schedule, nor what has come true', async () => {
  const { live, test: testToken } = await newBusiness(api);
  const theirs = await newBusiness(api);
  api.setNow(now);
  const plain = await newLicense(api, live);
  const pending = await newLicense(api, live, { activationDate: '2026-04-01' });
  const cancelled = await newLicense(api, live);
  await changeLicense(api, live, 'cancel', cancelled);
  const due = await newLicense(api, live);
  await changeLicense(api, live, 'pause', due, { at });
  const foreign = await newLicense(api, theirs.live);
  await changeLicense(api, theirs.live, 'pause', foreign, { at });
  const other = await newLicense(api, testToken, { productOfferingId: await newProductOffering(api, live) });
  await changeLicense(api, testToken, 'pause', other, { at });
  const scheduled = await newLicense(api, live);
  await changeLicense(api, live, 'pause', scheduled, { at: '2026-06-01T00:00:00.000Z' });
  api.setNow(at);
  const before = await rowsOf(api);
  const cases: [string, Record<string, unknown>, string, string][] = [
    [plain, {}, 'NOTHING_PENDING', 'licenseId'],
    [pending, {}, 'NOTHING_PENDING', 'licenseId'],
    [cancelled, {}, 'NOTHING_PENDING', 'licenseId'],
    [due, {}, 'NOTHING_PENDING', 'licenseId'],
    ['nonsense', {}, 'LICENSE_NOT_FOUND', 'licenseId'],
    [foreign, {}, 'LICENSE_NOT_FOUND', 'licenseId'],
    [other, {}, 'MODE_MISMATCH', 'licenseId'],
    [scheduled, { expectedVersion: 1 }, 'STALE_OBJECT', 'expectedVersion'],
    [scheduled, { reason: 'n'.repeat(2001) }, 'INVALID_INPUT', 'reason'],
  ];
  for (const [id, more, code, field] of cases) {
    const { license, userErrors } = await changeLicense(api, live, 'cancelPending', id, more);
    expect([license, userErrors]).toMatchObject([null, [{ code, path: ['input', field] }]]);
  }
  expect(await rowsOf(api)).toBe(before);
});

test('another brand’s license is refused', async () => {
  const { live } = await newBusiness(api);
  const id = await newLicense(api, live);
  const url = `${rowId(id)}.example.com`;
  const createBrand = `mutation ($url: String!) { createBrand(input: { name: "Second", url: $url }) { userErrors { message } } }`;
  await api.data({ token: live, query: createBrand, variables: { url } });
  const query = `mutation ($id: ID!) { cancelPendingLicenseChange(input: { licenseId: $id }) { userErrors { code path } } }`;
  const { data } = await api.call({ token: live, query, variables: { id }, headers: { 'brand-url': url } });
  expect(data.cancelPendingLicenseChange.userErrors).toEqual([
    { code: 'BRAND_MISMATCH', path: ['input', 'licenseId'] },
  ]);
});

test('twenty at once: one drops it, for the others nothing is there', async () => {
  const { live } = await newBusiness(api);
  for (let round = 0; round < 2; round++) {
    const id = await newLicense(api, live);
    await changeLicense(api, live, 'cancel', id, { at: '2999-01-01T00:00:00.000Z' });
    const answers = await Promise.all(Array.from({ length: 20 }, () => changeLicense(api, live, 'cancelPending', id)));
    const codes = answers.flatMap(({ userErrors }) => userErrors.map((error: { code: string }) => error.code));
    expect(codes).toEqual(Array(19).fill('NOTHING_PENDING'));
    expect(await changesOf(api, id)).toHaveLength(3);
  }
});

test('dropping against the worker at the instant: it is carried out or dropped, never both', async () => {
  const { live } = await newBusiness(api);
  for (let round = 0; round < 6; round++) {
    api.setNow(now);
    const id = await newLicense(api, live);
    await changeLicense(api, live, 'pause', id, { at });
    api.setNow(new Date(Date.parse(at) - 1));
    const [dropped] = await Promise.all([changeLicense(api, live, 'cancelPending', id), runDueChanges(api, at)]);
    const types = (await changesOf(api, id)).slice(2).map(({ type }) => type);
    expect(types).toEqual([dropped.userErrors.length === 0 ? 'license.change_cancelled' : 'license.paused']);
  }
});

test('a key without the scope, a session and nobody may not', async () => {
  const { live } = await newBusiness(api);
  const customerId = await newCustomer(api, live);
  const id = await newLicense(api, live, { customerId });
  await changeLicense(api, live, 'pause', id, { at: '2999-01-01T00:00:00.000Z' });
  const query = `mutation ($id: ID!) { cancelPendingLicenseChange(input: { licenseId: $id }) { userErrors { code } } }`;
  for (const [token, code] of [
    [await newApiKey(api, live, ['LICENSES_READ', 'GRANTS_WRITE']), 'FORBIDDEN'],
    [await newSession(api, live, customerId), 'FORBIDDEN'],
    [null, 'UNAUTHENTICATED'],
  ] as const) {
    const answer = await api.call({ token, query, variables: { id } });
    expect(answer.errors?.map(({ extensions }) => extensions.code)).toEqual([code]);
  }
  expect(await changesOf(api, id)).toHaveLength(2);
});
