import { expect, test } from '@jest/globals';
import { useApi } from '../support/api.js';
import { newApiKey, newBusiness, newCustomer, newSession } from '../support/business.js';
import { activated, newLicensedKey, onDevice, validate } from '../support/keys.js';
import { changesOf, rowId } from '../support/licenses.js';

const api = useApi();
const counted = (token: string, fields: object = {}) =>
  newLicensedKey(api, token, { licenseKey: { activationsLimit: 2 }, ...fields });

const deactivate = `mutation ($input: DeactivateLicenseKeyInput!) { deactivateLicenseKey(input: $input) {
  activation { id status } userErrors { code path } } }`;

async function used(licenseKeyId: string): Promise<number> {
  const [row] = await api.db.sql<{ used: number }>(
    null,
    'SELECT activations_used AS used FROM license_keys WHERE id = $1',
    [rowId(licenseKeyId)],
  );
  return row!.used;
}

test('who holds the key frees a device: every field, its seat is free at once, and again changes nothing', async () => {
  const business = await newBusiness(api);
  const { key, licenseKeyId } = await counted(business.live);
  const { id } = await activated(api, business, { key, fingerprint: 'a', name: 'Laptop' });
  const now = new Date(Date.now() + 5_000);
  api.setNow(now);
  const { data } = await onDevice(api, business, 'deactivateLicenseKey', { key, fingerprint: 'a' });
  const { activation, userErrors } = data.deactivateLicenseKey;
  expect(userErrors).toEqual([]);
  expect(activation).toMatchObject({
    id,
    fingerprint: 'a',
    name: 'Laptop',
    status: 'DEACTIVATED',
    endedAt: now.toISOString(),
    version: 2,
  });
  expect([(await validate(api, business, { key })).activationsUsed, await used(licenseKeyId)]).toEqual([0, 0]);
  api.setNow(new Date(now.getTime() + 5_000));
  const again = await onDevice(api, business, 'deactivateLicenseKey', { key, activationId: id });
  api.setNow(null);
  expect(again.data.deactivateLicenseKey.activation).toEqual(activation);
  expect((await changesOf(api, id)).map(({ type, after }) => [type, after])).toEqual([
    ['activation.created', null],
    ['activation.deactivated', { endedAt: now.toISOString(), endedBy: 'DEACTIVATED' }],
  ]);
});

test('a device is freed also when the key is not valid any more', async () => {
  const business = await newBusiness(api);
  const { key, licenseId, licenseKeyId } = await counted(business.live);
  await activated(api, business, { key, fingerprint: 'a' });
  await api.data({
    token: business.live,
    query: 'mutation ($input: CancelLicenseInput!) { cancelLicense(input: $input) { userErrors { message } } }',
    variables: { input: { licenseId } },
  });
  const { data } = await onDevice(api, business, 'deactivateLicenseKey', { key, fingerprint: 'a' });
  expect(data.deactivateLicenseKey.activation.status).toBe('DEACTIVATED');
  expect(await used(licenseKeyId)).toBe(0);
});

test('refusals name what is wrong and change nothing', async () => {
  const business = await newBusiness(api);
  const [mine, other] = [await counted(business.live), await counted(business.live)];
  const { id } = await activated(api, business, { key: mine.key, fingerprint: 'a' });
  const refused = async (input: object) => {
    const { data } = await onDevice(api, business, 'deactivateLicenseKey', input as Record<string, unknown>);
    return data.deactivateLicenseKey.userErrors.map(
      ({ code, path }: { code: string; path: string[] }) => `${code} ${path.join('.')}`,
    );
  };
  const { key } = mine;
  expect(await refused({ key })).toEqual(['INVALID_INPUT input.fingerprint']);
  expect(await refused({ key, fingerprint: 'a', activationId: id })).toEqual(['INVALID_INPUT input.fingerprint']);
  expect(await refused({ activationId: id })).toEqual(['INVALID_INPUT input.key']);
  expect(await refused({ key, fingerprint: 'b' })).toEqual(['ACTIVATION_NOT_FOUND input.fingerprint']);
  expect(await refused({ key: 'unknown', fingerprint: 'a' })).toEqual(['ACTIVATION_NOT_FOUND input.key']);
  expect(await refused({ key: other.key, activationId: id })).toEqual(['ACTIVATION_NOT_FOUND input.activationId']);
  expect(await refused({ key, testMode: true, fingerprint: 'a' })).toEqual(['ACTIVATION_NOT_FOUND input.key']);
  expect(await used(mine.licenseKeyId)).toBe(1);
  expect(await changesOf(api, id)).toHaveLength(1);
});

test('one device freed many times at once frees one seat', async () => {
  const business = await newBusiness(api);
  const { key, licenseKeyId } = await counted(business.live);
  const { id } = await activated(api, business, { key, fingerprint: 'a' });
  await activated(api, business, { key, fingerprint: 'b' });
  await Promise.all(
    Array.from({ length: 20 }, () => onDevice(api, business, 'deactivateLicenseKey', { key, fingerprint: 'a' })),
  );
  expect([await used(licenseKeyId), (await changesOf(api, id)).length]).toEqual([1, 2]);
});

test('a session frees its own devices by their ids, an API key those of its business and mode', async () => {
  const [business, theirs] = [await newBusiness(api), await newBusiness(api)];
  const customerId = await newCustomer(api, business.live);
  const { key } = await counted(business.live, { customerId });
  const [a, b] = [
    await activated(api, business, { key, fingerprint: 'a' }),
    await activated(api, business, { key, fingerprint: 'b' }),
  ];
  const call = async (token: string, activationId: string, headers: Record<string, string> = {}) => {
    const { data } = await api.call({ token, query: deactivate, variables: { input: { activationId } }, headers });
    const { activation, userErrors } = data.deactivateLicenseKey;
    return activation?.status ?? `${userErrors[0].code} ${userErrors[0].path.join('.')}`;
  };
  const own = await newSession(api, business.live, customerId);
  const stranger = await newSession(api, business.live, await newCustomer(api, business.live));
  const notFound = 'ACTIVATION_NOT_FOUND input.activationId';
  expect(await call(stranger, a.id)).toBe(notFound);
  expect(await call(theirs.live, a.id)).toBe(notFound);
  expect(await call(business.test, a.id)).toBe('MODE_MISMATCH input.activationId');
  expect(await call(own, 'act_nonsense')).toBe(notFound);
  const other = `other.${business.brandUrl}`;
  await api.data({
    token: business.live,
    query: 'mutation ($input: CreateBrandInput!) { createBrand(input: $input) { userErrors { message } } }',
    variables: { input: { name: 'Other', url: other } },
  });
  expect(await call(business.live, a.id, { 'brand-url': other })).toBe('BRAND_MISMATCH input.activationId');
  expect(await call(own, a.id)).toBe('DEACTIVATED');
  expect(await call(business.live, b.id)).toBe('DEACTIVATED');
  expect((await changesOf(api, a.id)).at(-1)).toMatchObject({ type: 'activation.deactivated', actor_kind: 'CUSTOMER' });
  expect((await changesOf(api, b.id)).at(-1)).toMatchObject({ type: 'activation.deactivated', actor_kind: 'API_KEY' });
});

test('an API key needs LICENSE_KEYS_WRITE', async () => {
  const business = await newBusiness(api);
  const narrow = await newApiKey(api, business.live, ['LICENSE_KEYS_READ']);
  const { errors } = await api.call({ token: narrow, query: deactivate, variables: { input: { activationId: 'x' } } });
  expect(errors?.[0]?.extensions.code).toBe('FORBIDDEN');
});
