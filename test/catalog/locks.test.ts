import { expect, test } from '@jest/globals';
import { useApi } from '../support/api.js';
import { newBusiness, newCustomer } from '../support/business.js';
import {
  newPackage,
  newPackagePrice,
  newProduct,
  newProductOffering,
  newSubscriptionType,
} from '../support/catalog.js';
import { holdRows } from '../support/holdRows.js';
import { newLicense, rowId } from '../support/licenses.js';
import { newWorld, purchaseInput } from '../support/world.js';
import { catalogCalls, createPackage, createPackagePrice, createProductOffering } from './catalogCalls.js';
import { updateProductOffering } from './offeringCalls.js';

const api = useApi();
const { run, refusals } = catalogCalls(api);
const terms = { amount: '1', currencyCode: 'EUR' };
const createLicense = `mutation ($input: CreateLicenseInput!) { createLicense(input: $input) {
  license { id type productOffering { id licenseType price { amount } } } userErrors { code path } } }`;
const updatePackage = `mutation ($input: UpdatePackageInput!) { updatePackage(input: $input) {
  package { id primaryProduct { id } productOfferings { id status } } userErrors { code path } } }`;

/** Uses of something, by what is being archived meanwhile. */
const uses: Record<
  string,
  (token: string) => Promise<{ table: string; id: string; query: string; input: object; refused: [string, string] }>
> = {
  'a package, for a price': async (token) => {
    const packageId = await newPackage(api, token);
    const input = { packageId, subscriptionTypeId: await newSubscriptionType(api, token), ...terms };
    const refused: [string, string] = ['PACKAGE_ARCHIVED', 'input.packageId'];
    return { table: 'packages', id: packageId, query: createPackagePrice, input, refused };
  },
  'a subscription type, for a price': async (token) => {
    const subscriptionTypeId = await newSubscriptionType(api, token);
    const input = { packageId: await newPackage(api, token), subscriptionTypeId, ...terms };
    const refused: [string, string] = ['SUBSCRIPTION_TYPE_ARCHIVED', 'input.subscriptionTypeId'];
    return { table: 'subscription_types', id: subscriptionTypeId, query: createPackagePrice, input, refused };
  },
  'a product, for a package': async (token) => {
    const id = await newProduct(api, token);
    const refused: [string, string] = ['PRODUCT_ARCHIVED', 'input.primaryProductId'];
    return { table: 'products', id, query: createPackage, input: { primaryProductId: id, name: 'P' }, refused };
  },
  'a product, for an offering': async (token) => {
    const id = await newProduct(api, token);
    const refused: [string, string] = ['PRODUCT_ARCHIVED', 'input.productId'];
    const input = { productId: id, name: 'O', licenseType: 't', ...terms };
    return { table: 'products', id, query: createProductOffering, input, refused };
  },
  'an offering, for a new package': async (token) => {
    const id = await newProductOffering(api, token);
    const input = { primaryProductId: await newProduct(api, token), name: 'P', productOfferingIds: [id] };
    const refused: [string, string] = ['PRODUCT_OFFERING_UNAVAILABLE', 'input.productOfferingIds.0'];
    return { table: 'product_offerings', id, query: createPackage, input, refused };
  },
  'an offering, for a package that is there': async (token) => {
    const id = await newProductOffering(api, token);
    const input = { packageId: await newPackage(api, token), productOfferingIds: [id] };
    const refused: [string, string] = ['PRODUCT_OFFERING_UNAVAILABLE', 'input.productOfferingIds.0'];
    return { table: 'product_offerings', id, query: updatePackage, input, refused };
  },
  'an offering, for a license': async (token) => {
    const id = await newProductOffering(api, token);
    const input = { productOfferingId: id, customerId: await newCustomer(api, token) };
    const refused: [string, string] = ['PRODUCT_OFFERING_UNAVAILABLE', 'input.productOfferingId'];
    return { table: 'product_offerings', id, query: createLicense, input, refused };
  },
};

test.each(Object.keys(uses))('who uses %s, waits for whoever is archiving it, and is refused', async (name) => {
  const { live } = await newBusiness(api);
  const { table, id, query, input, refused } = await (uses[name] as (typeof uses)[string])(live);
  const archived = table === 'product_offerings' ? "status = 'ARCHIVED'" : 'archived_at = updated_at';
  const held = await holdRows(api, `UPDATE ${table} SET ${archived} WHERE id = $1`, [rowId(id)]);
  const used = refusals(live, query, { ...input });
  await held.waiters(1);
  await held.release();
  expect(await used).toEqual([refused]);
});

test('a license that is being sold makes a change of its offering wait, and keeps what was sold', async () => {
  const { live } = await newBusiness(api);
  const [productOfferingId, customerId] = [await newProductOffering(api, live), await newCustomer(api, live)];
  // The sale has read its offering and waits for its customer.
  const held = await holdRows(api, 'SELECT 1 FROM customers WHERE id = $1 FOR UPDATE', [rowId(customerId)]);
  const sale = run(live, createLicense, { productOfferingId, customerId });
  await held.waiters(1);
  const change = run(live, updateProductOffering, { productOfferingId, licenseType: 'other', amount: '1' });
  await held.waiters(2);
  await held.release();
  const sold = { id: productOfferingId, licenseType: 'standard', price: { amount: '19.90' } };
  expect((await sale).license).toMatchObject({ type: 'standard', productOffering: sold });
  expect(await change).toMatchObject({
    superseded: { id: productOfferingId, status: 'SUPERSEDED' },
    productOffering: { licenseType: 'other', revision: 2 },
  });
});

test('a license that is being sold waits for a change of its offering, and is sold on the new terms', async () => {
  const { live } = await newBusiness(api);
  const [productOfferingId, customerId] = [await newProductOffering(api, live), await newCustomer(api, live)];
  const change = "UPDATE product_offerings SET license_type = 'other', price_minor = 1 WHERE id = $1";
  const held = await holdRows(api, change, [rowId(productOfferingId)]);
  const sale = run(live, createLicense, { productOfferingId, customerId });
  await held.waiters(1);
  await held.release();
  const sold = { id: productOfferingId, licenseType: 'other', price: { amount: '0.01' } };
  expect((await sale).license).toMatchObject({ type: 'other', productOffering: sold });
});

test('whatever comes to point to an offering is seen by a change of it, also what never locked it', async () => {
  const { live } = await newBusiness(api);
  const [productOfferingId, licenseId] = [await newProductOffering(api, live), await newLicense(api, live)];
  const held = await holdRows(
    api,
    "UPDATE licenses SET pending_offering_id = $1, pending_offering_at = '2099-01-01Z' WHERE id = $2",
    [rowId(productOfferingId), rowId(licenseId)],
  );
  const change = run(live, updateProductOffering, { productOfferingId, amount: '1' });
  await held.waiters(1);
  await held.release();
  expect((await change).superseded).toMatchObject({ id: productOfferingId });
});

test('however sales, changes and packages race, a license has the terms that its offering shows', async () => {
  const { live } = await newBusiness(api);
  const [customerId, primaryProductId] = [await newCustomer(api, live), await newProduct(api, live)];
  for (let round = 0; round < 10; round++) {
    const productOfferingId = await newProductOffering(api, live);
    const packageId = await newPackage(api, live, { primaryProductId, productOfferingIds: [productOfferingId] });
    const calls: [string, object][] = [
      [createLicense, { productOfferingId, customerId }],
      [updateProductOffering, { productOfferingId, licenseType: 'other' }],
      [updatePackage, { packageId, productOfferingIds: [productOfferingId] }],
      [createLicense, { productOfferingId, customerId }],
      [createPackage, { primaryProductId, name: 'P', productOfferingIds: [productOfferingId] }],
    ];
    const answers = await Promise.all(
      calls.map(([query, input]) => api.call({ token: live, query, variables: { input } })),
    );
    expect(answers.flatMap(({ errors }) => errors ?? [])).toEqual([]);
  }
  const differing = `SELECT l.id FROM licenses l JOIN product_offerings o ON o.id = l.product_offering_id WHERE o.license_type <> l.type`;
  const stale = `SELECT 1 AS one FROM package_offerings m JOIN product_offerings o ON o.id = m.product_offering_id WHERE o.status = 'SUPERSEDED'`;
  expect([await api.db.sql(null, differing, []), await api.db.sql(null, stale, [])]).toEqual([[], []]);
});

test('a package that is being bought keeps its product: the change waits, and is refused', async () => {
  const { live } = await newBusiness(api);
  const world = await newWorld(api, live);
  const packageId = await newPackage(api, live);
  const subscriptionTypeId = await newSubscriptionType(api, live);
  await newPackagePrice(api, live, { packageId, subscriptionTypeId });
  const primaryProductId = await newProduct(api, live);
  const buy = `mutation ($input: PurchaseLicensesByWalletInput!) { purchaseLicensesByWallet(input: $input) {
    licenses { id } userErrors { code path } } }`;
  // The purchase has read its package and waits for its wallet.
  const held = await holdRows(api, 'SELECT 1 FROM wallets WHERE id = $1 FOR UPDATE', [rowId(world.walletId)]);
  const input = purchaseInput({ ...world, packageId, subscriptionTypeId });
  const bought = api.data({ token: live, query: buy, variables: { input } });
  await held.waiters(1);
  const change = refusals(live, updatePackage, { packageId, primaryProductId });
  await held.waiters(2);
  await held.release();
  expect((await bought).purchaseLicensesByWallet.licenses).toHaveLength(1);
  expect(await change).toEqual([['PACKAGE_SOLD', 'input.primaryProductId']]);
});

test('a package that is not bought yet changes its product; a purchase waits and buys the new one', async () => {
  const { live } = await newBusiness(api);
  const world = await newWorld(api, live);
  const packageId = await newPackage(api, live);
  const subscriptionTypeId = await newSubscriptionType(api, live);
  await newPackagePrice(api, live, { packageId, subscriptionTypeId });
  const product = await newProduct(api, live, { sku: 'NEW' });
  const text =
    'WITH held AS (SELECT 1 FROM packages WHERE id = $1 FOR UPDATE) UPDATE packages SET primary_product_id = $2 WHERE id = $1 AND EXISTS (SELECT 1 FROM held)';
  const held = await holdRows(api, text, [rowId(packageId), rowId(product)]);
  const buy = `mutation ($input: PurchaseLicensesByWalletInput!) { purchaseLicensesByWallet(input: $input) {
    licenses { type package { primaryProduct { id } } } userErrors { code path } } }`;
  const input = purchaseInput({ ...world, packageId, subscriptionTypeId });
  const bought = api.data({ token: live, query: buy, variables: { input } });
  await held.waiters(1);
  await held.release();
  expect((await bought).purchaseLicensesByWallet.licenses).toEqual([
    { type: 'NEW', package: { primaryProduct: { id: product } } },
  ]);
});
