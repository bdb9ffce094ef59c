import { expect, test } from '@jest/globals';
import { useApi } from '../support/api.js';
import { newApiKey, newBusiness, newCustomer, newSession } from '../support/business.js';
import {
  newPackage,
  newPackagePrice,
  newProduct,
  newProductOffering,
  newSubscriptionType,
} from '../support/catalog.js';
import {
  createPackage,
  createPackagePrice,
  createProduct,
  createProductOffering,
  createSubscriptionType,
} from './catalogCalls.js';

const api = useApi();

test('foreign ids answer as unknown ones in every query; both modes share the catalog', async () => {
  const [mine, theirs] = [await newBusiness(api), await newBusiness(api)];
  const packagePriceId = await newPackagePrice(api, theirs.live);
  const ids = {
    product: await newProduct(api, theirs.live),
    offering: await newProductOffering(api, theirs.live),
    package: await newPackage(api, theirs.live),
    type: await newSubscriptionType(api, theirs.live),
    price: packagePriceId,
  };
  const query = `query ($product: ID!, $offering: ID!, $package: ID!, $type: ID!, $price: ID!) {
    product(id: $product) { id } productOffering(id: $offering) { id } package(id: $package) { id }
    subscriptionType(id: $type) { id } packagePrice(id: $price) { id }
    nodes(ids: [$product, $offering, $package, $type, $price]) { id }
    products { totalCount } productOfferings { totalCount } packages { totalCount } subscriptionTypes { totalCount } }`;
  const nothing = { totalCount: 0 };
  expect(await api.data({ token: mine.live, query, variables: ids })).toEqual({
    product: null,
    productOffering: null,
    package: null,
    subscriptionType: null,
    packagePrice: null,
    nodes: [null, null, null, null, null],
    products: nothing,
    productOfferings: nothing,
    packages: nothing,
    subscriptionTypes: nothing,
  });
  const seen = await api.data({ token: theirs.test, query, variables: ids });
  expect(seen.nodes).toEqual(Object.values(ids).map((id) => ({ id })));
});

test('the catalog is for API keys with its scopes', async () => {
  const { live } = await newBusiness(api);
  const reader = await newApiKey(api, live, ['CATALOG_READ']);
  const writer = await newApiKey(api, live, ['CATALOG_WRITE']);
  const session = await newSession(api, live, await newCustomer(api, live));
  const productId = await newProduct(api, live);
  const inputs: [string, Record<string, unknown>][] = [
    [createProduct, { sku: 's', name: 'n' }],
    [createProductOffering, { productId, name: 'n', licenseType: 't', amount: '1', currencyCode: 'USD' }],
    [createPackage, { primaryProductId: productId, name: 'n' }],
    [createSubscriptionType, { name: 'n', days: 1 }],
    [createPackagePrice, { packageId: 'x', subscriptionTypeId: 'x', amount: '1', currencyCode: 'USD' }],
  ];
  const codeFor = async (token: string | null, query: string, input?: Record<string, unknown>) =>
    (await api.call({ token, query, variables: { input } })).errors?.map((error) => error.extensions.code);
  for (const [query, input] of inputs) {
    expect(await codeFor(reader, query, input)).toEqual(['FORBIDDEN']);
    expect(await codeFor(session, query, input)).toEqual(['FORBIDDEN']);
    expect(await codeFor(null, query, input)).toEqual(['UNAUTHENTICATED']);
  }
  const lists = ['products', 'productOfferings', 'packages', 'subscriptionTypes', 'packagePrices'];
  const single = ['product', 'productOffering', 'package', 'subscriptionType', 'packagePrice'];
  const fields = [...lists.map((list) => `${list} { totalCount }`), ...single.map((one) => `${one}(id: "x") { id }`)];
  for (const field of fields) {
    expect(await codeFor(writer, `{ ${field} }`)).toEqual(['FORBIDDEN']);
    expect(await codeFor(session, `{ ${field} }`)).toEqual(['FORBIDDEN']);
    expect(await codeFor(null, `{ ${field} }`)).toEqual(['UNAUTHENTICATED']);
    expect(await codeFor(reader, `{ ${field} }`)).toBeUndefined();
  }
});
