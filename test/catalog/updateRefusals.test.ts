import { expect, test } from '@jest/globals';
import { useApi } from '../support/api.js';
import { newBusiness } from '../support/business.js';
import { newPackage, newProduct, newProductOffering, newSubscriptionType } from '../support/catalog.js';
import { rowId } from '../support/licenses.js';
import { newWorld } from '../support/world.js';
import { catalogCalls, unknownId } from './catalogCalls.js';
import { archiveProductOffering } from './offeringCalls.js';
import { call, fields, newObjects } from './updateCalls.js';

const api = useApi();
const { run, refusals, codesOfTwenty, stateOf } = catalogCalls(api);
const codeOf = (field: string) => field.replace(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase();
const long = 'x'.repeat(256);

test('updates and archiving refuse what is not there, alike for foreign and other ids, and change nothing', async () => {
  const [business, other] = [await newBusiness(api), await newBusiness(api)];
  const [mine, theirs] = [await newObjects(api, business.live), await newObjects(api, other.live)];
  const before = [await stateOf(business), await stateOf(other)];
  for (const field of Object.keys(fields)) {
    const otherType = field === 'product' ? mine.package : mine.product;
    for (const id of [theirs[field], otherType, unknownId('prod'), 'x']) {
      for (const verb of ['update', 'archive']) {
        expect(await refusals(business.live, call(verb, field), { [`${field}Id`]: id })).toEqual([
          [`${codeOf(field)}_NOT_FOUND`, `input.${field}Id`],
        ]);
      }
    }
  }
  expect([await stateOf(business), await stateOf(other)]).toEqual(before);
});

test('updates refuse what does not fit, all at once, and change nothing', async () => {
  const business = await newBusiness(api);
  const { live } = business;
  const ids = await newObjects(api, live);
  const pairs = Object.fromEntries(Array.from({ length: 51 }, (_, i) => [`k${i}`, i]));
  const [taken, archivedProduct, archivedOffering] = [
    'Taken',
    await newProduct(api, live),
    await newProductOffering(api, live),
  ];
  await newSubscriptionType(api, live, { name: taken });
  await run(live, call('archive', 'product'), { productId: archivedProduct });
  await run(live, archiveProductOffering, { productOfferingId: archivedOffering });
  const before = await stateOf(business);
  const rows: [field: string, input: object, ...expected: [code: string, path: string][]][] = [
    ['product', { name: null, metadata: pairs }, ['INVALID_INPUT', 'name'], ['INVALID_INPUT', 'metadata']],
    [
      'product',
      { name: long, description: 'x'.repeat(2001) },
      ['INVALID_INPUT', 'name'],
      ['INVALID_INPUT', 'description'],
    ],
    ['product', { serviceUrl: 'ftp://a.example' }, ['INVALID_INPUT', 'serviceUrl']],
    [
      'package',
      { name: null, primaryProductId: null },
      ['INVALID_INPUT', 'name'],
      ['INVALID_INPUT', 'primaryProductId'],
    ],
    ['package', { name: ' ', metadata: pairs }, ['INVALID_INPUT', 'name'], ['INVALID_INPUT', 'metadata']],
    ['package', { productOfferingIds: Array(51).fill('x') }, ['INVALID_INPUT', 'productOfferingIds']],
    [
      'package',
      { productOfferingIds: [archivedOffering, 'x'] },
      ['PRODUCT_OFFERING_UNAVAILABLE', 'productOfferingIds.0'],
      ['PRODUCT_OFFERING_NOT_FOUND', 'productOfferingIds.1'],
    ],
    ['package', { primaryProductId: 'x' }, ['PRODUCT_NOT_FOUND', 'primaryProductId']],
    ['package', { primaryProductId: archivedProduct }, ['PRODUCT_ARCHIVED', 'primaryProductId']],
    ['subscriptionType', { name: null, days: null }, ['INVALID_INPUT', 'name'], ['INVALID_INPUT', 'days']],
    ['subscriptionType', { days: 0 }, ['INVALID_INPUT', 'days']],
    ['subscriptionType', { days: 36_501, metadata: pairs }, ['INVALID_INPUT', 'days'], ['INVALID_INPUT', 'metadata']],
    ['subscriptionType', { name: taken }, ['NAME_TAKEN', 'name']],
    ['packagePrice', { amount: null }, ['INVALID_INPUT', 'amount']],
    ['packagePrice', { amount: '-0.01' }, ['INVALID_AMOUNT', 'amount']],
    ['packagePrice', { amount: '0.001' }, ['INVALID_AMOUNT', 'amount']],
    ['packagePrice', { amount: '2147483647.01' }, ['INVALID_AMOUNT', 'amount']],
    ['entitlement', { name: null, configuration: null }, ['INVALID_INPUT', 'name'], ['INVALID_INPUT', 'configuration']],
    [
      'entitlement',
      { name: long, configuration: { licenseKey: { activationsLimit: 0, fulfillWithinHours: 1 } } },
      ['INVALID_INPUT', 'name'],
      ['INVALID_ACTIVATIONS_LIMIT', 'configuration.licenseKey.activationsLimit'],
      ['INVALID_INPUT', 'configuration.licenseKey.fulfillWithinHours'],
    ],
    ...Object.keys(fields).map((field): [string, object, [string, string]] => [
      field,
      { expectedVersion: 7, ...(field === 'packagePrice' ? { amount: '1' } : { name: 'x' }) },
      ['STALE_OBJECT', 'expectedVersion'],
    ]),
  ];
  for (const [field, input, ...expected] of rows) {
    const codes = await refusals(live, call('update', field), { [`${field}Id`]: ids[field], ...input });
    expect([field, input, codes]).toEqual([field, input, expected.map(([code, path]) => [code, `input.${path}`])]);
  }
  expect(await stateOf(business)).toBe(before);
});

test("a package and its prices are not changed under another brand's URL", async () => {
  const business = await newBusiness(api);
  const { live } = business;
  const ids = await newObjects(api, live);
  const url = `second.${business.brandUrl}`;
  const createBrand = 'mutation ($input: CreateBrandInput!) { createBrand(input: $input) { userErrors { code } } }';
  await api.data({ token: live, query: createBrand, variables: { input: { name: 'Second', url } } });
  const before = await stateOf(business);
  for (const field of ['package', 'packagePrice']) {
    for (const verb of ['update', 'archive']) {
      const input = { [`${field}Id`]: ids[field] };
      expect(await refusals(live, call(verb, field), input, { 'brand-url': url })).toEqual([
        ['BRAND_MISMATCH', `input.${field}Id`],
      ]);
    }
  }
  expect(await stateOf(business)).toBe(before);
  for (const field of ['package', 'packagePrice']) {
    const done = await run(
      live,
      call('archive', field),
      { [`${field}Id`]: ids[field] },
      { 'brand-url': business.brandUrl },
    );
    expect(done.userErrors).toEqual([]);
  }
  expect(
    await refusals(live, call('update', 'packagePrice'), { packagePriceId: ids.packagePrice, amount: '1' }),
  ).toEqual([['PACKAGE_PRICE_ARCHIVED', 'input.packagePriceId']]);
});

test('of many names that are one, one is taken', async () => {
  const { live } = await newBusiness(api);
  const ids = await Promise.all(Array.from({ length: 8 }, () => newSubscriptionType(api, live)));
  const answers = await Promise.all(
    ids.map((subscriptionTypeId) =>
      api.call({
        token: live,
        query: call('update', 'subscriptionType'),
        variables: { input: { subscriptionTypeId, name: 'One' } },
      }),
    ),
  );
  const codes = answers.flatMap(({ data }) => data.updateSubscriptionType.userErrors.map((error: any) => error.code));
  expect(codes).toEqual(Array(7).fill('NAME_TAKEN'));
});

test('a package that was sold keeps its product, and the database itself refuses another one', async () => {
  const business = await newBusiness(api);
  const { live } = business;
  const { packageId } = await newWorld(api, live);
  const primaryProductId = await newProduct(api, live);
  const before = await stateOf(business);
  expect(await refusals(live, call('update', 'package'), { packageId, primaryProductId, name: 'x' })).toEqual([
    ['PACKAGE_SOLD', 'input.primaryProductId'],
  ]);
  const text = 'UPDATE packages SET primary_product_id = $2 WHERE id = $1';
  await expect(api.db.sql(null, text, [rowId(packageId), rowId(primaryProductId)])).rejects.toThrow('was sold');
  expect(await stateOf(business)).toBe(before);
  const { package: same } = await run(live, call('update', 'package'), { packageId, name: 'x' });
  const kept = { packageId, primaryProductId: same.primaryProduct.id, name: 'y' };
  expect((await run(live, call('update', 'package'), kept)).package.name).toBe('y');
  const unsold = await newPackage(api, live);
  expect(await codesOfTwenty(live, call('update', 'package'), { packageId: unsold, primaryProductId })).toEqual([]);
});
