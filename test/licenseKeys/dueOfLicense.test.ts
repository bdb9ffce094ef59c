import { expect, test } from '@jest/globals';
import { useApi } from '../support/api.js';
import { newBusiness } from '../support/business.js';
import { attachEntitlement, newProduct, newProductOffering } from '../support/catalog.js';
import { newLicenseKey, newLicenseKeyPool } from '../support/licenseKeys.js';
import { changeLicense, changesOf, newKeyedOffering, newLicense, runDueChanges } from '../support/licenses.js';
import { callKey, refusals } from './keyCalls.js';

// What has come true of a license by itself counts for its keys, though no worker has written it: none runs here.

const api = useApi();
const start = '2026-12-01T10:00:00.000Z';
const end = '2026-12-02T10:00:00.000Z';
const later = '2026-12-02T10:00:30.000Z';

async function keyOf(token: string, licenseId: string): Promise<{ id: string; grantId: string }> {
  const query = 'query ($id: ID!) { license(id: $id) { licenseKeys { id } grants { id } } }';
  const { license } = await api.data({ token, query, variables: { id: licenseId } });
  return { id: license.licenseKeys[0].id, grantId: license.grants[0].id };
}

async function listed(token: string, status: string): Promise<string[]> {
  const query =
    'query ($status: LicenseKeyStatus!) { licenseKeys(where: { status: { in: [$status] } }) { nodes { id } } }';
  const { licenseKeys } = await api.data({ token, query, variables: { status } });
  return licenseKeys.nodes.map(({ id }: { id: string }) => id);
}

test('a key whose last license was cancelled by a schedule is disabled from that instant on, for every reader and use case', async () => {
  const { live } = await newBusiness(api);
  api.setNow(start);
  const licenseId = await newLicense(api, live, { productOfferingId: await newKeyedOffering(api, live) });
  const { id, grantId } = await keyOf(live, licenseId);
  expect((await changeLicense(api, live, 'cancel', licenseId, { at: end })).userErrors).toEqual([]);
  expect([await listed(live, 'ACTIVE'), await listed(live, 'DISABLED')]).toEqual([[id], []]);
  api.setNow(later);
  expect([await listed(live, 'ACTIVE'), await listed(live, 'DISABLED')]).toEqual([[], [id]]);
  expect(refusals(await callKey(api, live, 'enableLicenseKey', { licenseKeyId: id }))).toEqual([
    'GRANT_REVOKED input.licenseKeyId',
  ]);
  expect(refusals(await callKey(api, live, 'rotateLicenseKey', { licenseKeyId: id }))).toEqual([
    'LICENSE_KEY_DISABLED input.licenseKeyId',
  ]);
  // The version is the one that readers saw, though the key's end is written first.
  const input = { licenseKeyId: id, expectedVersion: 1, reason: 'late' };
  const { licenseKey, userErrors } = await callKey(api, live, 'disableLicenseKey', input);
  expect(userErrors).toEqual([]);
  expect(licenseKey).toMatchObject({ status: 'DISABLED', disabledAt: end, disabledReason: null, version: 2 });
  expect((await changesOf(api, id)).map(({ type }) => type)).toEqual(['license_key.created', 'license_key.disabled']);
  expect((await changesOf(api, grantId)).at(-1)).toMatchObject({
    type: 'entitlement_grant.revoked',
    after: { revocationReason: 'LICENSE_CANCELLED', revokedAt: end },
  });
  api.setNow(null);
});

test('a key that no grant delivered stays off once its licenses are cancelled, written or not; one without a license does not', async () => {
  const { live } = await newBusiness(api);
  api.setNow(start);
  const licenseId = await newLicense(api, live);
  const { licenseKey } = await callKey(api, live, 'issueLicenseKey', { licenseId });
  await changeLicense(api, live, 'cancel', licenseId, { at: end });
  api.setNow(later);
  const enable = (licenseKeyId: string) => callKey(api, live, 'enableLicenseKey', { licenseKeyId });
  expect(refusals(await enable(licenseKey.id))).toEqual(['GRANT_REVOKED input.licenseKeyId']);
  await runDueChanges(api, later);
  expect(await listed(live, 'DISABLED')).toEqual([licenseKey.id]);
  expect(refusals(await enable(licenseKey.id))).toEqual(['GRANT_REVOKED input.licenseKeyId']);
  const bare = await newLicenseKey(api, live);
  await callKey(api, live, 'disableLicenseKey', { licenseKeyId: bare });
  expect((await enable(bare)).licenseKey.status).toBe('ACTIVE');
  api.setNow(null);
});

test('what a license goes over to gives keys of its own product and pool; an empty pool leaves it to the desk', async () => {
  const { live } = await newBusiness(api);
  const product = await newProduct(api, live, { keyPattern: { prefix: 'NEXT' } });
  const patterned = await newProductOffering(api, live, { productId: product, amount: '29.90' });
  await attachEntitlement(api, live, { target: { productOfferingId: patterned } });
  const pooled = await newProductOffering(api, live, { productId: product, amount: '39.90' });
  const licenseKeyPoolId = await newLicenseKeyPool(api, live, ['POOLED-1']);
  await attachEntitlement(api, live, { target: { productOfferingId: pooled }, licenseKey: { licenseKeyPoolId } });
  const first = await newProductOffering(api, live, { productId: product });
  const goOver = async (productOfferingId: string) => {
    const licenseId = await newLicense(api, live, { productOfferingId: first });
    const { changeLicenseProductOffering } = await api.data({
      token: live,
      query: `mutation ($input: ChangeLicenseProductOfferingInput!) { changeLicenseProductOffering(input: $input) {
        license { licenseKeys { key source } grants { status fulfillmentMode } } userErrors { message } } }`,
      variables: { input: { licenseId, productOfferingId } },
    });
    return changeLicenseProductOffering.license;
  };
  expect(await goOver(patterned)).toEqual({
    licenseKeys: [{ key: expect.stringMatching(/^NEXT/), source: 'AUTO' }],
    grants: [{ status: 'DELIVERED', fulfillmentMode: 'AUTO' }],
  });
  expect(await goOver(pooled)).toEqual({
    licenseKeys: [{ key: 'POOLED-1', source: 'POOL' }],
    grants: [{ status: 'DELIVERED', fulfillmentMode: 'AUTO' }],
  });
  expect(await goOver(pooled)).toEqual({
    licenseKeys: [],
    grants: [{ status: 'PENDING', fulfillmentMode: 'MANUAL' }],
  });
});
