import { expect, test } from '@jest/globals';
import { useApi } from '../support/api.js';
import { newBusiness } from '../support/business.js';
import {
  newEntitlement,
  newPackage,
  newPackagePrice,
  newProduct,
  newProductOffering,
  newSubscriptionType,
} from '../support/catalog.js';

const api = useApi();

/** Names of the rows that one list gives for its arguments. */
async function names(token: string, field: string, args: string, variables: Record<string, unknown> = {}) {
  const declared = Object.keys(variables).map((name) => `$${name}: [ID!]!`);
  const query = `query ${declared.length ? `(${declared.join(', ')})` : ''} { list: ${field}(${args}) { nodes { name } } }`;
  const { list } = await api.data({ token, query, variables });
  return list.nodes.map((node: { name: string }) => node.name);
}

test('names are searched whatever their case, products also by SKU, and within the business', async () => {
  const [{ live }, other] = [await newBusiness(api), await newBusiness(api)];
  await newProduct(api, other.live, { name: 'Äpfel 100%', sku: 'ABC-1' });
  const productId = await newProduct(api, live, { name: 'Äpfel 100%', sku: 'ABC-1' });
  await newProduct(api, live, { name: 'Äpfel 1000', sku: 'DEF_2' });
  await newProductOffering(api, live, { productId, name: 'Äpfel 100%' });
  await newPackage(api, live, { primaryProductId: productId, name: 'Äpfel 100%' });
  await newEntitlement(api, live, { name: 'Äpfel 100%' });
  for (const field of ['products', 'productOfferings', 'packages', 'entitlements']) {
    expect(await names(live, field, 'search: " äPFEL 100% "')).toEqual(['Äpfel 100%']);
    expect(await names(live, field, 'search: "birnen"')).toEqual([]);
    const short = await api.call({ token: live, query: `{ ${field}(search: " x ") { totalCount } }` });
    expect(short.errors?.map(({ message, extensions }) => [message, extensions.code, extensions.argument])).toEqual([
      ['Give `search` at least 2 characters.', 'BAD_USER_INPUT', 'search'],
    ]);
  }
  expect(await names(live, 'products', 'search: "f_2"')).toEqual(['Äpfel 1000']);
  expect(await names(live, 'products', 'search: "c_1"')).toEqual([]);
});

test('lists are filtered by every condition', async () => {
  const { live } = await newBusiness(api);
  api.setNow('2026-01-01T00:00:00.000Z');
  const old = await newProduct(api, live, { name: 'Old', sku: 'OLD' });
  const oldOffering = await newProductOffering(api, live, { productId: old, name: 'Old' });
  await newPackage(api, live, { primaryProductId: old, name: 'Old' });
  const oldEntitlement = await newEntitlement(api, live, { name: 'Old' });
  api.setNow('2026-02-01T00:00:00.000Z');
  const young = await newProduct(api, live, { name: 'Young', sku: 'YOUNG' });
  await newProductOffering(api, live, { productId: young, name: 'Young' });
  await newPackage(api, live, { primaryProductId: young, name: 'Young' });
  await newEntitlement(api, live, { name: 'Young' });
  api.setNow(null);
  const window = 'createdAt: { gte: "2026-01-01", lt: "2026-02-01T00:00:00Z" }';
  for (const field of ['products', 'productOfferings', 'packages', 'entitlements']) {
    expect(await names(live, field, `where: { ${window} }`)).toEqual(['Old']);
    expect(await names(live, field, 'orderBy: {}')).toEqual(['Young', 'Old']);
    expect(await names(live, field, 'orderBy: { field: NAME, direction: ASC }')).toEqual(['Old', 'Young']);
  }
  expect(await names(live, 'products', 'where: { id: { in: $ids } }', { ids: [young, 'x'] })).toEqual(['Young']);
  expect(await names(live, 'products', 'where: { sku: { in: ["OLD", "young"] } }')).toEqual(['Old']);
  expect(await names(live, 'productOfferings', 'where: { productId: { in: $ids } }', { ids: [old] })).toEqual(['Old']);
  expect(await names(live, 'packages', 'where: { primaryProductId: { in: $ids } }', { ids: [young] })).toEqual([
    'Young',
  ]);

  await api.db.sql(null, `UPDATE product_offerings SET status = 'ARCHIVED' WHERE name = 'Old'`, []);
  expect(await names(live, 'productOfferings', 'where: { status: { in: [ARCHIVED] } }')).toEqual(['Old']);
  expect(await names(live, 'productOfferings', 'where: { status: { in: [AVAILABLE] } }')).toEqual(['Young']);
  expect(await names(live, 'productOfferings', 'where: { status: { in: [] } }')).toEqual([]);
  expect(
    await names(live, 'productOfferings', 'where: { id: { in: $ids }, status: { in: [ARCHIVED] } }, search: "ol"', {
      ids: [oldOffering],
    }),
  ).toEqual(['Old']);
  expect(await names(live, 'productOfferings', 'where: { id: { in: $ids } }', { ids: [oldOffering] })).toEqual([]);

  await api.db.sql(null, `UPDATE entitlements SET archived_at = updated_at WHERE name = 'Old'`, []);
  expect(await names(live, 'entitlements', 'where: { isArchived: true }')).toEqual(['Old']);
  expect(await names(live, 'entitlements', 'where: { isArchived: false }')).toEqual(['Young']);
  expect(await names(live, 'entitlements', 'where: { id: { in: $ids } }', { ids: [oldEntitlement] })).toEqual([]);
});

test('subscription types are listed by name and days, prices by package, type and currency', async () => {
  const { live } = await newBusiness(api);
  const [week, day] = [
    await newSubscriptionType(api, live, { name: 'Week', days: 7 }),
    await newSubscriptionType(api, live, { name: 'Day', days: 1 }),
  ];
  expect(await names(live, 'subscriptionTypes', 'orderBy: { field: DAYS, direction: ASC }')).toEqual(['Day', 'Week']);
  expect(await names(live, 'subscriptionTypes', 'orderBy: { field: DAYS }')).toEqual(['Week', 'Day']);
  expect(await names(live, 'subscriptionTypes', 'where: { name: { in: ["Week"] } }')).toEqual(['Week']);
  expect(await names(live, 'subscriptionTypes', 'where: { id: { in: $ids } }', { ids: [day] })).toEqual(['Day']);

  const [one, two] = [await newPackage(api, live), await newPackage(api, live)];
  const prices = [
    await newPackagePrice(api, live, { packageId: one, subscriptionTypeId: week }),
    await newPackagePrice(api, live, { packageId: one, subscriptionTypeId: day, currencyCode: 'EUR' }),
    await newPackagePrice(api, live, { packageId: two, subscriptionTypeId: day }),
  ];
  const query = `query ($where: PackagePriceWhere) {
    packagePrices(where: $where, orderBy: { direction: ASC }) { nodes { id } totalCount } }`;
  const found = async (where: object) => {
    const { packagePrices } = await api.data({ token: live, query, variables: { where } });
    expect(packagePrices.totalCount).toBe(packagePrices.nodes.length);
    return packagePrices.nodes.map(({ id }: { id: string }) => prices.indexOf(id));
  };
  expect(await found({})).toEqual([0, 1, 2]);
  expect(await found({ packageId: { in: [one] } })).toEqual([0, 1]);
  expect(await found({ subscriptionTypeId: { in: [day] } })).toEqual([1, 2]);
  expect(await found({ currencyCode: { in: ['EUR'] } })).toEqual([1]);
  expect(await found({ packageId: { in: [two] }, currencyCode: { in: ['EUR'] } })).toEqual([]);
  expect(await found({ id: { in: [prices[2]] } })).toEqual([2]);
});

test.each([
  ['NAME', 'ASC'],
  ['CREATED_AT', 'DESC'],
])('products by %s %s are paged both ways without gaps or repeats when they tie', async (field, direction) => {
  const { live } = await newBusiness(api);
  api.setNow('2026-03-01T10:00:00.000Z');
  const ids: string[] = [];
  for (let i = 0; i < 7; i++) ids.push(await newProduct(api, live, { name: 'Same' }));
  api.setNow(null);
  const query = `query ($first: Int, $after: String, $last: Int, $before: String, $by: ProductOrder) {
    products(first: $first, after: $after, last: $last, before: $before, orderBy: $by) {
      edges { cursor node { id } } pageInfo { hasNextPage hasPreviousPage startCursor endCursor } } }`;
  const page = async (args: object) =>
    (await api.data({ token: live, query, variables: { ...args, by: { field, direction } } })).products;
  const forward: string[] = [];
  for (let after: string | null = null, more = true; more;) {
    const products: any = await page({ first: 3, after });
    forward.push(...products.edges.map((edge: any) => edge.node.id));
    expect(products.pageInfo.endCursor).toBe(products.edges.at(-1).cursor);
    [after, more] = [products.pageInfo.endCursor, products.pageInfo.hasNextPage];
  }
  expect(forward).toEqual(direction === 'ASC' ? ids : [...ids].reverse());
  const backward: string[] = [];
  for (let before: string | null = null, more = true; more;) {
    const products: any = await page({ last: 3, before });
    backward.unshift(...products.edges.map((edge: any) => edge.node.id));
    [before, more] = [products.pageInfo.startCursor, products.pageInfo.hasPreviousPage];
  }
  expect(backward).toEqual(forward);
});

test('a cursor of one product does not serve another one', async () => {
  const { live } = await newBusiness(api);
  const [one, two] = [await newProduct(api, live), await newProduct(api, live)];
  for (const productId of [one, one, two, two]) await newProductOffering(api, live, { productId });
  const query = `query ($id: ID!, $after: String) { product(id: $id) { productOfferings(first: 1, after: $after) {
    nodes { id } pageInfo { endCursor hasNextPage } } } }`;
  const first = await api.data({ token: live, query, variables: { id: one } });
  const after = first.product.productOfferings.pageInfo.endCursor;
  const second = await api.data({ token: live, query, variables: { id: one, after } });
  expect(second.product.productOfferings.pageInfo.hasNextPage).toBe(false);
  expect(second.product.productOfferings.nodes[0].id).not.toBe(first.product.productOfferings.nodes[0].id);
  const foreign = await api.call({ token: live, query, variables: { id: two, after } });
  expect(foreign.errors?.map((error) => error.extensions.code)).toEqual(['BAD_USER_INPUT']);
});
