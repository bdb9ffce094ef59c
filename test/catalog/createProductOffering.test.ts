import { expect, test } from '@jest/globals';
import { useApi } from '../support/api.js';
import { newBusiness } from '../support/business.js';
import { newProduct, newSubscriptionType } from '../support/catalog.js';
import { born, catalogCalls, createProductOffering, idWith, unknownId } from './catalogCalls.js';

const api = useApi();
const { run, refusals, rowCounts } = catalogCalls(api);

test('createProductOffering gives back every field, and its defaults', async () => {
  const { live } = await newBusiness(api);
  const productId = await newProduct(api, live);
  const { productOffering, userErrors } = await run(live, createProductOffering, {
    productId,
    name: ' Monthly ',
    description: 'By the month',
    licenseType: ' seat ',
    amount: '19.9',
    currencyCode: 'EUR',
    billingPeriod: 'MONTH',
    boundMonths: 12,
    group: 'Team',
    metadata: { a: true },
  });
  expect(userErrors).toEqual([]);
  expect(productOffering).toEqual({
    id: idWith('offer'),
    product: { id: productId },
    name: 'Monthly',
    description: 'By the month',
    licenseType: 'seat',
    price: { amount: '19.90', currencyCode: 'EUR', minorUnits: '1990' },
    billingPeriod: 'MONTH',
    boundMonths: 12,
    group: 'Team',
    status: 'AVAILABLE',
    entitlements: [],
    metadata: { a: true },
    ...born,
  });
  const bare = await run(live, createProductOffering, {
    productId,
    name: 'Free',
    licenseType: 'free',
    amount: 0,
    currencyCode: 'JPY',
  });
  expect(bare.productOffering).toMatchObject({
    description: null,
    price: { amount: '0', currencyCode: 'JPY', minorUnits: '0' },
    billingPeriod: 'ONE_TIME',
    boundMonths: 0,
    group: null,
    metadata: {},
  });
  const query = `query ($id: ID!) { product(id: $id) { productOfferings(orderBy: { field: NAME, direction: ASC }) {
    nodes { name } totalCount } } }`;
  expect(await api.data({ token: live, query, variables: { id: productId } })).toEqual({
    product: { productOfferings: { nodes: [{ name: 'Free' }, { name: 'Monthly' }], totalCount: 2 } },
  });
});

test('createProductOffering refuses fields that do not fit and a product that is not there, and changes nothing', async () => {
  const [business, other] = [await newBusiness(api), await newBusiness(api)];
  const foreign = await newProduct(api, other.live);
  const productId = await newProduct(api, business.live);
  const before = await rowCounts(business);
  const input = { productId, name: 'n', licenseType: 't', amount: '1', currencyCode: 'USD' };
  expect(
    await refusals(business.live, createProductOffering, {
      ...input,
      name: '',
      description: 'x'.repeat(2001),
      licenseType: 'x'.repeat(65),
      amount: '1.005',
      boundMonths: 121,
      group: 'x'.repeat(256),
    }),
  ).toEqual([
    ['INVALID_INPUT', 'input.name'],
    ['INVALID_INPUT', 'input.description'],
    ['INVALID_INPUT', 'input.licenseType'],
    ['INVALID_AMOUNT', 'input.amount'],
    ['INVALID_INPUT', 'input.boundMonths'],
    ['INVALID_INPUT', 'input.group'],
  ]);
  for (const id of [foreign, unknownId('prod'), 'nonsense', await newSubscriptionType(api, other.live)]) {
    expect(await refusals(business.live, createProductOffering, { ...input, productId: id })).toEqual([
      ['PRODUCT_NOT_FOUND', 'input.productId'],
    ]);
  }
  expect(await rowCounts(business)).toEqual(before);
});
