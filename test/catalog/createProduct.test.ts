import { expect, test } from '@jest/globals';
import { useApi } from '../support/api.js';
import { newBusiness } from '../support/business.js';
import { newProduct } from '../support/catalog.js';
import { born, catalogCalls, createProduct, idWith } from './catalogCalls.js';

const api = useApi();
const { run, refusals, codesOfTwenty, rowCounts } = catalogCalls(api);

test('createProduct gives back every field, records the change and is found by id', async () => {
  const { live } = await newBusiness(api);
  const { product, userErrors } = await run(live, createProduct, {
    sku: ' STUDIO ',
    name: ' Studio ',
    description: 'Draws',
    serviceUrl: 'https://app.example.com/start?x=1',
    metadata: { tier: 'gold' },
  });
  expect(userErrors).toEqual([]);
  expect(product).toEqual({
    id: idWith('prod'),
    sku: 'STUDIO',
    name: 'Studio',
    description: 'Draws',
    serviceUrl: 'https://app.example.com/start?x=1',
    metadata: { tier: 'gold' },
    entitlements: [],
    productOfferings: { nodes: [], totalCount: 0 },
    ...born,
  });
  const query = `query ($id: ID!) { product(id: $id) { sku } node(id: $id) { __typename id } }`;
  expect(await api.data({ token: live, query, variables: { id: product.id } })).toEqual({
    product: { sku: 'STUDIO' },
    node: { __typename: 'Product', id: product.id },
  });
  const [change] = await api.db.sql<{ type: string; sequence: number; sku: string }>(
    null,
    `SELECT type, sequence, snapshot ->> 'sku' AS sku FROM changes WHERE type = 'product.created' AND snapshot ->> 'sku' = 'STUDIO'`,
    [],
  );
  expect(change).toEqual({ type: 'product.created', sequence: 1, sku: 'STUDIO' });
});

test('createProduct reports all problems at once and changes nothing', async () => {
  const business = await newBusiness(api);
  const before = await rowCounts(business);
  const input = { sku: ' ', name: 'x'.repeat(256), description: 'x'.repeat(2001), serviceUrl: 'ftp://example.com' };
  expect(await refusals(business.live, createProduct, { ...input, metadata: { [`k${'x'.repeat(40)}`]: 1 } })).toEqual([
    ['INVALID_INPUT', 'input.sku'],
    ['INVALID_INPUT', 'input.name'],
    ['INVALID_INPUT', 'input.description'],
    ['INVALID_INPUT', 'input.serviceUrl'],
    ['INVALID_INPUT', `input.metadata.k${'x'.repeat(40)}`],
  ]);
  for (const serviceUrl of ['javascript:alert(1)', 'https:example.com', 'https://', 'https://a b', 'https://a\nb']) {
    expect(await refusals(business.live, createProduct, { sku: 's', name: 'n', serviceUrl })).toEqual([
      ['INVALID_INPUT', 'input.serviceUrl'],
    ]);
  }
  expect(await rowCounts(business)).toEqual(before);
});

test('twenty products with one SKU at once: one is made; another business may have it too', async () => {
  const [business, other] = [await newBusiness(api), await newBusiness(api)];
  const input = { sku: 'ONE', name: 'One' };
  const codes = await codesOfTwenty(business.live, createProduct, input);
  expect(codes).toEqual(Array.from({ length: 19 }, () => 'SKU_TAKEN'));
  expect(await rowCounts(business)).toMatchObject({ products: 1 });
  expect(await newProduct(api, other.live, input)).toEqual(idWith('prod'));
  // The catalog is shared by both modes.
  const { userErrors } = await run(business.test, createProduct, input);
  expect(userErrors).toEqual([
    {
      __typename: 'SkuTaken',
      message: 'Another product has this SKU. Choose another one.',
      path: ['input', 'sku'],
      code: 'SKU_TAKEN',
    },
  ]);
});
