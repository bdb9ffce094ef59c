import { expect, test } from '@jest/globals';
import { useApi } from '../support/api.js';
import { newBusiness } from '../support/business.js';
import { newPackage, newProduct, newProductOffering, newSubscriptionType } from '../support/catalog.js';
import { born, catalogCalls, createPackage, createPackagePrice, idWith } from './catalogCalls.js';

const api = useApi();
const { run, refusals, rowCounts } = catalogCalls(api);

test('createPackage gives back every field, an offering given twice once', async () => {
  const business = await newBusiness(api);
  const { live } = business;
  const primaryProductId = await newProduct(api, live);
  const offerings = [await newProductOffering(api, live), await newProductOffering(api, live)];
  const payload = await run(live, createPackage, {
    primaryProductId,
    productOfferingIds: [...offerings, offerings[0]],
    name: ' Starter ',
    description: 'To begin with',
    metadata: { a: 1 },
  });
  expect(payload).toEqual({
    package: {
      id: idWith('pkg'),
      brand: { id: business.brandId },
      name: 'Starter',
      description: 'To begin with',
      primaryProduct: { id: primaryProductId },
      productOfferings: offerings.map((id) => ({ id })),
      prices: [],
      entitlements: [],
      metadata: { a: 1 },
      ...born,
    },
    userErrors: [],
  });
});

test('createPackage refuses whatever is not there, each at its place, and changes nothing', async () => {
  const [business, other] = [await newBusiness(api), await newBusiness(api)];
  const own = await newProductOffering(api, business.live);
  const foreign = await newProductOffering(api, other.live);
  const before = await rowCounts(business);
  const primaryProductId = await newProduct(api, other.live);
  expect(
    await refusals(business.live, createPackage, {
      primaryProductId,
      productOfferingIds: [own, foreign, 'x'],
      name: 'n',
    }),
  ).toEqual([
    ['PRODUCT_NOT_FOUND', 'input.primaryProductId'],
    ['PRODUCT_OFFERING_NOT_FOUND', 'input.productOfferingIds.1'],
    ['PRODUCT_OFFERING_NOT_FOUND', 'input.productOfferingIds.2'],
  ]);
  expect(
    await refusals(business.live, createPackage, {
      primaryProductId,
      productOfferingIds: Array.from({ length: 51 }, () => own),
      name: ' ',
      description: 'x'.repeat(2001),
    }),
  ).toEqual([
    ['INVALID_INPUT', 'input.name'],
    ['INVALID_INPUT', 'input.description'],
    ['INVALID_INPUT', 'input.productOfferingIds'],
  ]);
  expect(await rowCounts(business)).toEqual(before);
});

test('packages are made and listed in the brand that Brand-URL names; its prices are not set under another one', async () => {
  const business = await newBusiness(api);
  const { live } = business;
  const url = `second.${business.brandUrl}`;
  const { createBrand } = await api.data({
    token: live,
    query:
      'mutation ($input: CreateBrandInput!) { createBrand(input: $input) { brand { id } userErrors { message } } }',
    variables: { input: { name: 'Second', url } },
  });
  const primaryProductId = await newProduct(api, live);
  const headers = { 'brand-url': url };
  const second = (await run(live, createPackage, { primaryProductId, name: 'Second' }, headers)).package;
  expect(second.brand).toEqual({ id: createBrand.brand.id });
  const first = await newPackage(api, live, { primaryProductId, name: 'First' });
  const query = '{ packages(orderBy: { field: NAME, direction: ASC }) { nodes { name } totalCount } }';
  const listed = async (brandUrl?: string) =>
    (await api.data({ token: live, query, ...(brandUrl ? { headers: { 'brand-url': brandUrl } } : {}) })).packages;
  expect(await listed()).toEqual({ nodes: [{ name: 'First' }, { name: 'Second' }], totalCount: 2 });
  expect(await listed(url)).toEqual({ nodes: [{ name: 'Second' }], totalCount: 1 });
  expect(await listed(business.brandUrl)).toEqual({ nodes: [{ name: 'First' }], totalCount: 1 });

  const before = await rowCounts(business);
  const price = { subscriptionTypeId: await newSubscriptionType(api, live), amount: '1', currencyCode: 'EUR' };
  expect(await refusals(live, createPackagePrice, { ...price, packageId: first }, headers)).toEqual([
    ['BRAND_MISMATCH', 'input.packageId'],
  ]);
  expect(await rowCounts(business)).toMatchObject({ package_prices: before.package_prices });
  expect((await run(live, createPackagePrice, { ...price, packageId: second.id }, headers)).userErrors).toEqual([]);
});

test('a repeated createPackage with one idempotency key gives the same package', async () => {
  const business = await newBusiness(api);
  const input = { primaryProductId: await newProduct(api, business.live), name: 'Once', idempotencyKey: 'k' };
  const first = await run(business.live, createPackage, input);
  expect(await run(business.live, createPackage, input)).toEqual(first);
  expect(await rowCounts(business)).toMatchObject({ packages: 1 });
});
