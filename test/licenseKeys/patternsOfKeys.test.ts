import { expect, test } from '@jest/globals';
import { readConfig } from '../../src/config.js';
import { newId } from '../../src/kernel/id.js';
import { keyringOf } from '../../src/keyring.js';
import { currentKeyHmac } from '../../src/licenseKeys/keyHmacs.js';
import { testEnvironment, useApi } from '../support/api.js';
import { newBusiness, newCustomer } from '../support/business.js';
import {
  attachEntitlement,
  newPackage,
  newPackagePrice,
  newProduct,
  newProductOffering,
  newSubscriptionType,
} from '../support/catalog.js';
import { codesOf } from '../support/keys.js';
import { newGrant, newLicense, newPendingGrant, rowId } from '../support/licenses.js';
import { waitUntil } from '../support/waitUntil.js';
import { creditWallet, newWallet } from '../support/wallets.js';
import { purchaseInput } from '../support/world.js';
import { refusals } from './keyCalls.js';

const api = useApi();
const ofPattern = /^ACME(-[2-9A-HJ-NP-Z]{5}){5}$/;
const standard = /^[2-9A-HJ-NP-Z]{5}(-[2-9A-HJ-NP-Z]{5}){4}$/;

async function call(token: string, query: string, input: object): Promise<any> {
  const answer = await api.call({ token, query, variables: { input } });
  expect(answer.errors).toBeUndefined();
  return Object.values(answer.data as object)[0];
}

async function newShop(token: string) {
  const productId = await newProduct(api, token, { keyPattern: { prefix: 'ACME' } });
  const customerId = await newCustomer(api, token);
  const packageId = await newPackage(api, token, { primaryProductId: productId });
  const subscriptionTypeId = await newSubscriptionType(api, token);
  await newPackagePrice(api, token, { packageId, subscriptionTypeId });
  const walletId = await newWallet(api, token, { customerId });
  await creditWallet(api, token, walletId, '1000.00');
  return { productId, customerId, packageId, subscriptionTypeId, walletId };
}

const buyQuery = `mutation ($input: PurchaseLicensesByWalletInput!) { purchaseLicensesByWallet(input: $input) {
  licenses { licenseKeys { key source } } userErrors { code path ... on ReservedKeyPrefix { prefix } } } }`;

test('purchases generate keys of the pattern of the package’s product, with and without an entitlement', async () => {
  const { live } = await newBusiness(api);
  const shop = await newShop(live);
  for (const withGrant of [false, true]) {
    if (withGrant) await attachEntitlement(api, live, { target: { productId: shop.productId } });
    const { licenses, userErrors } = await call(live, buyQuery, purchaseInput(shop, { quantity: 3 }));
    expect(userErrors).toEqual([]);
    const keys = licenses.flatMap(({ licenseKeys }: any) => licenseKeys);
    expect(keys).toEqual(Array(3).fill({ key: expect.stringMatching(ofPattern), source: 'AUTO' }));
  }
  const refused = await call(live, buyQuery, purchaseInput(shop, { code: 'acme 12345' }));
  expect(refused).toEqual({
    licenses: null,
    userErrors: [{ code: 'RESERVED_KEY_PREFIX', path: ['input', 'code'], prefix: 'ACME' }],
  });
});

test('licenses of an offering and grants on them use the pattern of its product, other grants the default one', async () => {
  const { live } = await newBusiness(api);
  const productId = await newProduct(api, live, { keyPattern: { prefix: 'ACME' } });
  const productOfferingId = await newProductOffering(api, live, { productId });
  const entitlementId = await attachEntitlement(api, live, { target: { productOfferingId } });
  const customerId = await newCustomer(api, live);
  const licenseId = await newLicense(api, live, { productOfferingId, customerId });
  const query = 'query ($id: ID!) { license(id: $id) { licenseKeys { key } } }';
  const { license } = await api.data({ token: live, query, variables: { id: licenseId } });
  expect(license.licenseKeys).toEqual([{ key: expect.stringMatching(ofPattern) }]);
  const keyOfGrant = async (id: string) => {
    const read = 'query ($id: ID!) { grant(id: $id) { licenseKey { key } } }';
    return (await api.data({ token: live, query: read, variables: { id } })).grant.licenseKey.key;
  };
  expect(await keyOfGrant(await newGrant(api, live, { customerId, licenseId }))).toMatch(ofPattern);
  expect(await keyOfGrant(await newGrant(api, live, { customerId, entitlementId }))).toMatch(standard);
});

test('nobody fulfills a grant with a key of a reserved prefix, however it is spelt', async () => {
  const { live } = await newBusiness(api);
  await newProduct(api, live, { keyPattern: { prefix: 'ACME' } });
  const grantId = await newPendingGrant(api, live);
  const query = `mutation ($input: FulfillLicenseKeyGrantInput!) { fulfillLicenseKeyGrant(input: $input) {
    grant { status } userErrors { code path } } }`;
  for (const key of ['ACME-1', 'ac me 2', 'Ａcme3']) {
    expect(refusals(await call(live, query, { grantId, key }))).toEqual(['RESERVED_KEY_PREFIX input.key']);
  }
  expect((await call(live, query, { grantId, key: 'ACM-E' })).userErrors.length).toBe(1);
  expect((await call(live, query, { grantId, key: 'X-ACME-1' })).grant).toEqual({ status: 'DELIVERED' });
});

test('a prefix that is reserved while the first keys come in keeps none of them from being found', async () => {
  const business = await newBusiness(api);
  const { live } = business;
  const customerId = await newCustomer(api, live);
  const [tenant] = await api.db.sql<{ businessId: string; mode: 'LIVE' }>(
    null,
    'SELECT business_id AS "businessId", mode FROM customers WHERE id = $1',
    [rowId(customerId)],
  );
  const keyring = keyringOf(readConfig(testEnvironment));
  const { hmacKeyId, keyHmac } = currentKeyHmac(keyring, tenant!, 'BLOCK-1');
  const other = await api.db.writer.pool.connect();
  await other.query('BEGIN');
  await other.query(
    'INSERT INTO license_key_lookups (business_id, mode, key_hmac, hmac_key_id, license_key_id) VALUES ($1, $2, $3, $4, $5)',
    [tenant!.businessId, tenant!.mode, keyHmac, hmacKeyId, newId()],
  );
  const waiting = async () => {
    const text = `SELECT 1 AS one FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`;
    return (await api.db.sql(null, text, [])).length;
  };
  const query = `mutation ($input: ImportLicenseKeysInput!) { importLicenseKeys(input: $input) {
    results { userErrors { code } } userErrors { code } } }`;
  const rows = ['ACME-1', 'BLOCK-1'].map((key) => ({ key, customerId }));
  const importing = call(live, query, { rows });
  await waitUntil('the import to wait for the text', async () => (await waiting()) === 1);
  let isReserved = false;
  const reserving = newProduct(api, live, { keyPattern: { prefix: 'ACME' } }).then(() => (isReserved = true));
  await waitUntil('the reservation to wait or be made', async () => isReserved || (await waiting()) === 2);
  await other.query('ROLLBACK');
  other.release();
  await reserving;
  expect((await importing).results).toEqual([{ userErrors: [] }, { userErrors: [] }]);
  // The second time, the server remembers which prefixes are exclusive, and does not look.
  for (let i = 0; i < 2; i++) expect(await codesOf(api, business, { key: 'acme 1' })).toEqual([]);
});
