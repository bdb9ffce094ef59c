import { beforeAll, expect, test } from '@jest/globals';
import { useApi } from '../support/api.js';
import { newBusiness } from '../support/business.js';
import {
  attachEntitlement,
  newEntitlement,
  newPackage,
  newPackagePrice,
  newProduct,
  newProductOffering,
  newSubscriptionType,
} from '../support/catalog.js';
import { expectInvariants } from '../support/invariants.js';
import { changeOffering } from '../licenses/offeringCalls.js';
import { changeLicense, changesOf, newGrant, newLicense, rowId, runDueChanges } from '../support/licenses.js';
import { newWorld, purchaseInput, type World } from '../support/world.js';

const api = useApi();
const DAY = 86_400_000;
const start = new Date('2026-01-01T00:00:00.000Z');
const after = (days: number) => new Date(start.getTime() + days * DAY).toISOString();

const byHand = { fulfillmentMode: 'MANUAL' };

let token: string;
let world: World;
beforeAll(async () => {
  api.setNow(start);
  token = (await newBusiness(api)).live;
  world = await newWorld(api, token);
});

const query = `mutation ($input: RenewLicenseInput!) { renewLicense(input: $input) {
  license { id validFrom validUntil grants { id } } userErrors { code path } } }`;
const renew = async (input: object) => (await api.data({ token, query, variables: { input } })).renewLicense;
const codesOf = async (input: object) => {
  const { data } = await api.call({ token, query, variables: { input } });
  return data.renewLicense.userErrors.map(({ code }: { code: string }) => code);
};

/** A license that was bought for 30 days from the start. */
async function bought(fields: object = {}): Promise<string> {
  const { purchaseLicensesByWallet } = await api.data({
    token,
    query: `mutation ($input: PurchaseLicensesByWalletInput!) { purchaseLicensesByWallet(input: $input) { licenses { id } userErrors { message } } }`,
    variables: { input: purchaseInput(world, { startDate: start, endDate: after(30), ...fields }) },
  });
  return purchaseLicensesByWallet.licenses[0].id;
}

interface SeenGrant {
  id: string;
  status: string;
  deliveredAt: string | null;
  entitlement: { name: string };
}
const grantsOf = async (id: string): Promise<SeenGrant[]> =>
  (
    await api.data({
      token,
      query:
        'query ($id: ID!) { license(id: $id) { grants { id status deliveredAt entitlement { name } licenseKey { expiresAt } } } }',
      variables: { id },
    })
  ).license.grants;

test('a renewal that is renewed before it starts grants nothing twice: each grant goes from one to the next', async () => {
  api.setNow(start);
  const first = await bought();
  const given = (await grantsOf(first)).map(({ id }) => id);
  const second = (await renew({ licenseId: first })).license;
  const third = (await renew({ licenseId: second.id })).license;
  expect([second.grants, third.grants]).toEqual([[], []]);
  expect(third).toMatchObject({ validFrom: after(60), validUntil: after(90) });
  await runDueChanges(api, after(61));
  api.setNow(after(61));
  expect((await grantsOf(third.id)).map(({ id }) => id)).toEqual(given);
  expect(await grantsOf(second.id)).toEqual([]);
});

test('at an archived price nothing is renewed, and a new one counts', async () => {
  api.setNow(start);
  const licenseId = await bought();
  const subscriptionTypeId = await newSubscriptionType(api, token, { days: 60 });
  const price = { packageId: world.packageId, subscriptionTypeId };
  const packagePriceId = await newPackagePrice(api, token, { ...price, amount: '15.00' });
  await api.data({
    token,
    query:
      'mutation ($input: ArchivePackagePriceInput!) { archivePackagePrice(input: $input) { userErrors { message } } }',
    variables: { input: { packagePriceId } },
  });
  const input = { licenseId, subscriptionTypeId, walletId: world.walletId };
  expect(await codesOf(input)).toEqual(['PRICE_NOT_FOUND']);
  await newPackagePrice(api, token, { ...price, amount: '18.00' });
  const { license } = await renew(input);
  const [{ amount } = { amount: null }] = await api.db.sql<{ amount: bigint | null }>(
    null,
    'SELECT amount_minor AS amount FROM licenses WHERE id = $1',
    [rowId(license.id)],
  );
  expect(amount).toBe(1800n);
});

test('a grant that was born taken back is delivered by the renewal, with the whole time of its key', async () => {
  api.setNow(start);
  const licenseId = await bought();
  await changeLicense(api, token, 'pause', licenseId);
  const entitlementId = await newEntitlement(api, token, {
    name: 'Late key',
    licenseKey: { duration: { count: 10, unit: 'DAY' } },
  });
  const grantId = await newGrant(api, token, { entitlementId, customerId: world.customerId, licenseId });
  api.setNow(after(40));
  const { license } = await renew({ licenseId, until: after(90) });
  const late = (await grantsOf(license.id)).find(({ id }) => id === grantId);
  expect(late).toMatchObject({ status: 'DELIVERED', deliveredAt: after(40), licenseKey: { expiresAt: after(50) } });
  expect((await changesOf(api, grantId)).at(-1)?.type).toBe('entitlement_grant.delivered');
});

test('by a key the license is applied that has not ended, not the first one that nobody used', async () => {
  api.setNow(start);
  const licenseId = await bought();
  api.setNow(after(40));
  const { license } = await renew({ licenseId, until: after(90) });
  const [{ key } = { key: '' }] = (
    await api.data({
      token,
      query: 'query ($id: ID!) { license(id: $id) { licenseKeys { key } } }',
      variables: { id: license.id },
    })
  ).license.licenseKeys;
  const { applyLicense } = await api.data({
    token,
    query:
      'mutation ($input: ApplyLicenseInput!) { applyLicense(input: $input) { license { id } userErrors { message } } }',
    variables: { input: { key, customerId: world.customerId } },
  });
  expect(applyLicense.license.id).toBe(license.id);
});

test('a renewal whose old license is cancelled before the end grants anew when it starts, but no second key', async () => {
  for (const [licenseKey, keys, grants] of [
    [{}, ['ACTIVE'], []],
    [byHand, [], ['PENDING']],
  ] as const) {
    api.setNow(start);
    const packageId = await newPackage(api, token);
    await attachEntitlement(api, token, { target: { packageId }, licenseKey });
    await newPackagePrice(api, token, { packageId, subscriptionTypeId: world.subscriptionTypeId });
    const old = await bought({ packageId });
    const { license } = await renew({ licenseId: old, walletId: world.walletId });
    api.setNow(after(10));
    await changeLicense(api, token, 'cancel', old);
    expect((await grantsOf(old)).map(({ status }) => status)).toEqual(['REVOKED']);
    await runDueChanges(api, after(30));
    api.setNow(after(30));
    expect((await grantsOf(license.id)).map(({ status }) => status)).toEqual(grants);
    const bound = await api.db.sql<{ status: string }>(
      null,
      'SELECT k.status FROM license_keys k JOIN license_key_bindings b ON b.license_key_id = k.id WHERE b.license_id = $1',
      [rowId(license.id)],
    );
    expect(bound.map(({ status }) => status)).toEqual(keys);
  }
  await expectInvariants(api.db);
});

test('a change of offering that a renewal was made for cannot be dropped before the renewal is', async () => {
  api.setNow(start);
  const productId = await newProduct(api, token);
  const fields = { productId, billingPeriod: 'MONTH' };
  const basic = await newProductOffering(api, token, { ...fields, amount: '1.00' });
  const pro = await newProductOffering(api, token, { ...fields, amount: '2.00' });
  const licenseId = await newLicense(api, token, { productOfferingId: basic, customerId: world.customerId });
  await api.db.writer.pool.query('UPDATE licenses SET valid_until = $2 WHERE id = $1', [rowId(licenseId), after(30)]);
  await changeOffering(api, token, { licenseId, productOfferingId: pro, at: after(10) });
  const { license } = await renew({ licenseId, walletId: world.walletId });
  const refused = await changeLicense(api, token, 'cancelPending', licenseId);
  expect(refused.userErrors.map(({ code, path }: { code: string; path: string[] }) => [code, path])).toEqual([
    ['LICENSE_ALREADY_RENEWED', ['input', 'licenseId']],
  ]);
  await changeLicense(api, token, 'cancel', license.id);
  expect((await changeLicense(api, token, 'cancelPending', licenseId)).userErrors).toEqual([]);
});

test('late, what was due of the old license is done before the renewal takes over, whichever is touched first', async () => {
  api.setNow(start);
  const productId = await newProduct(api, token);
  const basic = await newProductOffering(api, token, { productId, amount: '1.00' });
  const pro = await newProductOffering(api, token, { productId, amount: '2.00' });
  await attachEntitlement(api, token, { target: { productOfferingId: basic }, name: 'Basic', licenseKey: byHand });
  await attachEntitlement(api, token, { target: { productOfferingId: pro }, name: 'Pro', licenseKey: byHand });
  const licenseId = await newLicense(api, token, { productOfferingId: basic, customerId: world.customerId });
  await api.db.writer.pool.query('UPDATE licenses SET valid_until = $2 WHERE id = $1', [rowId(licenseId), after(30)]);
  await changeOffering(api, token, { licenseId, productOfferingId: pro, at: after(10) });
  const { license } = await renew({ licenseId });
  api.setNow(after(31));
  await changeLicense(api, token, 'pause', license.id);
  await changeLicense(api, token, 'resume', license.id);
  const living = async (id: string) =>
    (await grantsOf(id)).filter(({ status }) => status !== 'REVOKED').map(({ entitlement }) => entitlement.name);
  expect([await living(licenseId), await living(license.id)]).toEqual([[], ['Pro']]);
  expect((await changesOf(api, licenseId)).map(({ type }) => type)).toEqual([
    'license.created',
    'license.change_scheduled',
    'license.renewed',
    'license.offering_changed',
    'license.expired',
  ]);
});

test('races: however many carry out what is due of a chain at once, its grants arrive at its end, with their one key', async () => {
  for (const round of [1, 2, 3]) {
    api.setNow(start);
    const first = await bought();
    const given = (await grantsOf(first)).map(({ id }) => id);
    const second = (await renew({ licenseId: first })).license.id;
    const third = (await renew({ licenseId: second })).license.id;
    api.setNow(after(61));
    const touched = [third, first, second].flatMap((licenseId) => [licenseId, licenseId]);
    await Promise.all([
      runDueChanges(api, after(61)),
      runDueChanges(api, after(61)),
      ...touched.map((licenseId, i) =>
        api.data({
          token,
          query: 'mutation ($input: UpdateLicenseInput!) { updateLicense(input: $input) { userErrors { message } } }',
          variables: { input: { licenseId, description: `Round ${round}, ${i}` } },
        }),
      ),
    ]);
    expect([await grantsOf(first), await grantsOf(second)]).toEqual([[], []]);
    expect((await grantsOf(third)).map(({ id }) => id)).toEqual(given);
  }
});
