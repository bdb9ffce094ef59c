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
  newProductVersion,
  newSubscriptionType,
} from '../support/catalog.js';

const api = useApi();
const PARENTS = 50;
let token: string;

/** Fifty parents of each kind, each with children of its own. */
beforeAll(async () => {
  token = (await newBusiness(api)).live;
  const entitlementId = await newEntitlement(api, token);
  const ownEntitlement = await newEntitlement(api, token);
  for (let i = 0; i < PARENTS; i++) {
    const productId = await newProduct(api, token);
    const productOfferingId = await newProductOffering(api, token, { productId });
    const [packageId, subscriptionTypeId] = [
      await newPackage(api, token, { primaryProductId: productId, productOfferingIds: [productOfferingId] }),
      await newSubscriptionType(api, token),
    ];
    await newProductVersion(api, token, { productId, published: true });
    await newPackagePrice(api, token, { packageId, subscriptionTypeId });
    for (const target of [{ productId }, { productOfferingId }, { packageId }]) {
      await attachEntitlement(api, token, { target, entitlementId });
      await attachEntitlement(api, token, { target, entitlementId: ownEntitlement });
    }
  }
});

test.each([
  ['products', 'productOfferings(first: 3) { nodes { id } }', { nodes: 1 }],
  ['products', 'productOfferings(first: 3) { totalCount }', { totalCount: 1 }],
  ['products', 'entitlements { id }', 2],
  ['products', 'versions(first: 3) { nodes { id } }', { nodes: 1 }],
  ['products', 'versions(first: 3) { totalCount }', { totalCount: 1 }],

  ['productOfferings', 'product { id }', null],
  ['productOfferings', 'entitlements { id }', 2],
  ['packages', 'brand { id }', null],
  ['packages', 'primaryProduct { id }', null],
  ['packages', 'productOfferings { id }', 1],
  ['packages', 'prices { id }', 1],
  ['packages', 'entitlements { id }', 2],
  ['packagePrices', 'package { id }', null],
  ['packagePrices', 'subscriptionType { id }', null],
])('%s { %s } takes as many statements for 5 parents as for 50', async (parents, edge, children) => {
  const counts: number[] = [];
  const query = `query ($first: Int) { ${parents}(first: $first) { nodes { id edge: ${edge} } } }`;
  for (const first of [5, PARENTS]) {
    const run = async () => {
      const { nodes } = (await api.data({ token, query, variables: { first } }))[parents];
      expect(nodes).toHaveLength(first);
      for (const node of nodes) expectChildren(node.edge, children);
    };
    counts.push(await api.countStatements(run));
  }
  const edgeStatements = edge.includes('totalCount') ? 2 : 1;
  expect(counts).toEqual([1 + edgeStatements, 1 + edgeStatements]);
});

function expectChildren(edge: any, children: number | { nodes: number } | { totalCount: number } | null): void {
  if (children === null) expect(edge.id).toEqual(expect.any(String));
  else if (typeof children === 'number') expect(edge).toHaveLength(children);
  else if ('nodes' in children) expect(edge.nodes).toHaveLength(children.nodes);
  else expect(edge).toEqual(children);
}

test('newest public versions and later revisions of many take one statement each', async () => {
  const queries: [string, string, unknown][] = [
    ['products', 'latestPublicVersionName', '1.0.0'],
    ['productOfferings', 'supersededBy { id }', null],
  ];
  for (const [parents, edge, expected] of queries) {
    const query = `query ($first: Int) { ${parents}(first: $first) { nodes { id edge: ${edge} } } }`;
    for (const first of [5, PARENTS]) {
      const count = await api.countStatements(async () => {
        const { nodes } = (await api.data({ token, query, variables: { first } }))[parents];
        expect(nodes.map((node: any) => node.edge)).toEqual(Array(first).fill(expected));
      });
      // The parents, and one more for all of them.
      expect([parents, first, count]).toEqual([parents, first, 2]);
    }
  }
});

test('one statement answers many products by id', async () => {
  const { products } = await api.data({ token, query: '{ products(first: 15) { nodes { id } } }' });
  const ids = products.nodes.map(({ id }: { id: string }) => id);
  const query = `query ($ids: [ID!]!) { nodes(ids: $ids) { id } }`;
  const count = await api.countStatements(async () => {
    expect((await api.data({ token, query, variables: { ids } })).nodes).toEqual(ids.map((id: string) => ({ id })));
  });
  expect(count).toBe(1);
});
