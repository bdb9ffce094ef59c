import { expect, test } from '@jest/globals';
import { useApi } from '../support/api.js';
import { newBusiness } from '../support/business.js';
import { newPackage, newPackagePrice, newSubscriptionType } from '../support/catalog.js';
import { born, catalogCalls, createPackagePrice, idWith } from './catalogCalls.js';

const api = useApi();
const { run, refusals, codesOfTwenty, rowCounts } = catalogCalls(api);

test('createPackagePrice gives back every field; a package shows its prices', async () => {
  const { live } = await newBusiness(api);
  const [packageId, subscriptionTypeId] = [await newPackage(api, live), await newSubscriptionType(api, live)];
  const input = { packageId, subscriptionTypeId, amount: '1.500', currencyCode: 'KWD' };
  const payload = await run(live, createPackagePrice, input);
  expect(payload).toEqual({
    packagePrice: {
      id: idWith('price'),
      package: { id: packageId },
      subscriptionType: { id: subscriptionTypeId },
      price: { amount: '1.500', currencyCode: 'KWD', minorUnits: '1500' },
      ...born,
    },
    userErrors: [],
  });
  const highest = await run(live, createPackagePrice, { ...input, amount: '2147483647', currencyCode: 'JPY' });
  expect(highest.packagePrice.price).toEqual({ amount: '2147483647', currencyCode: 'JPY', minorUnits: '2147483647' });
  const query = `query ($id: ID!) { package(id: $id) { prices { price { currencyCode } } } }`;
  expect(await api.data({ token: live, query, variables: { id: packageId } })).toEqual({
    package: { prices: [{ price: { currencyCode: 'KWD' } }, { price: { currencyCode: 'JPY' } }] },
  });
});

test('createPackagePrice refuses amounts that do not fit, what is not there and a second price, and changes nothing', async () => {
  const [business, other] = [await newBusiness(api), await newBusiness(api)];
  const { live } = business;
  const [packageId, subscriptionTypeId] = [await newPackage(api, live), await newSubscriptionType(api, live)];
  await newPackagePrice(api, live, { packageId, subscriptionTypeId });
  const input = { packageId, subscriptionTypeId, amount: '1', currencyCode: 'EUR' };
  const foreign = {
    packageId: await newPackage(api, other.live),
    subscriptionTypeId: await newSubscriptionType(api, other.live),
  };
  const before = await rowCounts(business);
  const amounts = [
    ['10.5', 'JPY'],
    ['-0.01', 'USD'],
    ['0.001', 'USD'],
    ['2147483647.01', 'USD'],
    ['2147483648', 'JPY'],
    ['999999999999999999999999999999', 'USD'],
  ];
  for (const [amount, currencyCode] of amounts) {
    expect(await refusals(live, createPackagePrice, { ...input, amount, currencyCode })).toEqual([
      ['INVALID_AMOUNT', 'input.amount'],
    ]);
  }
  expect(await refusals(live, createPackagePrice, { ...input, ...foreign })).toEqual([
    ['PACKAGE_NOT_FOUND', 'input.packageId'],
    ['SUBSCRIPTION_TYPE_NOT_FOUND', 'input.subscriptionTypeId'],
  ]);
  expect(await refusals(live, createPackagePrice, { ...input, currencyCode: 'USD' })).toEqual([
    ['PRICE_EXISTS', 'input'],
  ]);
  expect(await rowCounts(business)).toEqual(before);
});

test('twenty prices for one package, subscription type and currency at once: one is made', async () => {
  const business = await newBusiness(api);
  const packageId = await newPackage(api, business.live);
  const subscriptionTypeId = await newSubscriptionType(api, business.live);
  const input = { packageId, subscriptionTypeId, amount: '1', currencyCode: 'EUR' };
  const codes = await codesOfTwenty(business.live, createPackagePrice, input);
  expect(codes).toEqual(Array.from({ length: 19 }, () => 'PRICE_EXISTS'));
  expect(await rowCounts(business)).toMatchObject({ package_prices: 1 });
});

test('a currency that is none is a mistake of shape', async () => {
  const { live } = await newBusiness(api);
  const input = { packageId: 'x', subscriptionTypeId: 'x', amount: '1', currencyCode: 'usd' };
  const { errors } = await api.call({ token: live, query: createPackagePrice, variables: { input } });
  expect(errors?.map((error) => error.extensions.code)).toEqual(['BAD_USER_INPUT']);
});
