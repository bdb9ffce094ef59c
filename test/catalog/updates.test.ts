import { expect, test } from '@jest/globals';
import { useApi } from '../support/api.js';
import { newApiKey, newBusiness, newCustomer, newSession } from '../support/business.js';
import {
  newEntitlement,
  newPackage,
  newPackagePrice,
  newProduct,
  newProductOffering,
  newSubscriptionType,
} from '../support/catalog.js';
import { catalogCalls, createPackagePrice, createProductOffering, noon } from './catalogCalls.js';

const api = useApi();
const { run, refusals, rowCounts } = catalogCalls(api);

const fields: Record<string, string> = {
  product: 'id name description serviceUrl archivedAt metadata version updatedAt',
  package: 'id name description productOfferings { id } archivedAt metadata version updatedAt',
  subscriptionType: 'id name days archivedAt metadata version updatedAt',
  packagePrice: 'id price { amount currencyCode } version updatedAt',
  entitlement: 'id name description archivedAt metadata version updatedAt',
};
const call = (verb: string, field: string) => {
  const type = `${field[0]?.toUpperCase()}${field.slice(1)}`;
  return `mutation ($input: ${verb[0]?.toUpperCase()}${verb.slice(1)}${type}Input!) { ${verb}${type}(input: $input) {
    ${field} { ${fields[field]} } userErrors { __typename message path code } } }`;
};

/** One object of each kind, by the name of its field. */
async function newObjects(token: string): Promise<Record<string, string>> {
  const product = await newProduct(api, token);
  return {
    product,
    package: await newPackage(api, token, { primaryProductId: product }),
    subscriptionType: await newSubscriptionType(api, token),
    packagePrice: await newPackagePrice(api, token),
    entitlement: await newEntitlement(api, token),
  };
}

test('updates change what is given, clear what is null and merge metadata', async () => {
  const { live } = await newBusiness(api);
  const ids = await newObjects(live);
  const offering = await newProductOffering(api, live);
  const stamps = { version: 2, updatedAt: noon };
  const changes: [string, object, object][] = [
    [
      'product',
      { name: ' New ', serviceUrl: 'https://a.example', metadata: { a: 1 } },
      { name: 'New', description: null, serviceUrl: 'https://a.example', archivedAt: null, metadata: { a: 1 } },
    ],
    [
      'package',
      { description: 'D', productOfferingIds: [offering, offering] },
      { name: 'Starter', description: 'D', productOfferings: [{ id: offering }], archivedAt: null, metadata: {} },
    ],
    ['subscriptionType', { name: 'Year', days: 365 }, { name: 'Year', days: 365, archivedAt: null, metadata: {} }],
    ['packagePrice', { amount: '12.5' }, { price: { amount: '12.50', currencyCode: 'USD' } }],
    [
      'entitlement',
      { name: 'Key', metadata: { b: true } },
      { name: 'Key', description: null, archivedAt: null, metadata: { b: true } },
    ],
  ];
  for (const [field, input, expected] of changes) {
    const given = { [`${field}Id`]: ids[field], expectedVersion: 1, ...input };
    const answer = { [field]: { id: ids[field], ...expected, ...stamps }, userErrors: [] };
    expect(await run(live, call('update', field), given)).toEqual(answer);
    const again = await run(live, call('update', field), { ...given, expectedVersion: 2 });
    expect(again).toEqual(answer);
    expect(await refusals(live, call('update', field), given)).toEqual([['STALE_OBJECT', 'input.expectedVersion']]);
  }
  const cleared = await run(live, call('update', 'package'), {
    packageId: ids.package,
    description: null,
    productOfferingIds: null,
  });
  expect(cleared.package).toMatchObject({ description: null, productOfferings: [], version: 3 });
});

test('updates and archiving refuse what is not there, and what cannot be cleared, and change nothing', async () => {
  const [business, other] = [await newBusiness(api), await newBusiness(api)];
  const [mine, theirs] = [await newObjects(business.live), await newObjects(other.live)];
  const before = await rowCounts(business);
  for (const field of Object.keys(fields)) {
    const code = `${field.replace(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase()}_NOT_FOUND`;
    for (const id of [theirs[field], 'x']) {
      const verbs = field === 'packagePrice' ? ['update'] : ['update', 'archive'];
      for (const verb of verbs) {
        expect(await refusals(business.live, call(verb, field), { [`${field}Id`]: id })).toEqual([
          [code, `input.${field}Id`],
        ]);
      }
    }
    const cleared = field === 'packagePrice' ? 'amount' : 'name';
    expect(
      await refusals(business.live, call('update', field), { [`${field}Id`]: mine[field], [cleared]: null }),
    ).toEqual([['INVALID_INPUT', `input.${cleared}`]]);
  }
  expect(await rowCounts(business)).toEqual(before);
});

test('what is archived, once however often, leaves the lists and is used for nothing new', async () => {
  const { live } = await newBusiness(api);
  const ids = await newObjects(live);
  const offering = await newProductOffering(api, live, { productId: ids.product });
  for (const field of ['subscriptionType', 'package', 'product', 'entitlement']) {
    const input = { [`${field}Id`]: ids[field] };
    const answers = await Promise.all(
      Array.from({ length: 8 }, () => api.call({ token: live, query: call('archive', field), variables: { input } })),
    );
    const versions = answers.map(({ data }) => (Object.values(data)[0] as any)[field].version);
    expect([field, versions]).toEqual([field, Array(8).fill(2)]);
    const query = `query ($where: ${field[0]?.toUpperCase()}${field.slice(1)}Where) { list: ${field}s(where: $where) { nodes { id } } }`;
    const listed = async (isArchived?: boolean) =>
      (await api.data({ token: live, query, variables: { where: { id: { in: [ids[field]] }, isArchived } } })).list
        .nodes;
    expect([await listed(), await listed(false), await listed(true)]).toEqual([[], [], [{ id: ids[field] }]]);
  }
  const shown = await api.data({ token: live, query: `{ productOffering(id: "${offering}") { status version } }` });
  expect(shown.productOffering).toEqual({ status: 'ARCHIVED', version: 2 });
  const terms = { amount: '1', currencyCode: 'EUR' };
  expect(
    await refusals(live, createPackagePrice, {
      packageId: ids.package,
      subscriptionTypeId: ids.subscriptionType,
      ...terms,
    }),
  ).toEqual([
    ['PACKAGE_ARCHIVED', 'input.packageId'],
    ['SUBSCRIPTION_TYPE_ARCHIVED', 'input.subscriptionTypeId'],
  ]);
  expect(
    await refusals(live, createProductOffering, { productId: ids.product, name: 'n', licenseType: 't', ...terms }),
  ).toEqual([['PRODUCT_ARCHIVED', 'input.productId']]);
});

test('the catalog is changed with CATALOG_WRITE only', async () => {
  const { live } = await newBusiness(api);
  const reader = await newApiKey(api, live, ['CATALOG_READ']);
  const session = await newSession(api, live, await newCustomer(api, live));
  for (const field of Object.keys(fields)) {
    for (const [token, code] of [
      [reader, 'FORBIDDEN'],
      [session, 'FORBIDDEN'],
      [null, 'UNAUTHENTICATED'],
    ] as const) {
      const answer = await api.call({
        token,
        query: call('update', field),
        variables: { input: { [`${field}Id`]: 'x' } },
      });
      expect(answer.errors?.map((error) => error.extensions.code)).toEqual([code]);
    }
  }
});
