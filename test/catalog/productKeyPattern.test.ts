import { expect, test } from '@jest/globals';
import { useApi } from '../support/api.js';
import { newBusiness } from '../support/business.js';
import { newProduct } from '../support/catalog.js';
import { newLicenseKey } from '../support/licenseKeys.js';
import { rowId } from '../support/licenses.js';

const api = useApi();
const fields = 'keyPattern { kind alphabet groups prefix checkCharacter bits example }';

async function call(token: string, mutation: 'createProduct' | 'updateProduct', input: object): Promise<any> {
  const type = mutation === 'createProduct' ? 'CreateProductInput' : 'UpdateProductInput';
  const query = `mutation ($input: ${type}!) { ${mutation}(input: $input) { product { id version ${fields} } userErrors { code path } } }`;
  const answer = await api.call({ token, query, variables: { input } });
  expect(answer.errors).toBeUndefined();
  return answer.data[mutation];
}

const create = (token: string, sku: string, keyPattern?: object) =>
  call(token, 'createProduct', { sku, name: sku, keyPattern });
const codesOf = ({ userErrors }: any) => userErrors.map(({ code, path }: any) => `${code} ${path.join('.')}`);

async function isExclusive(id: string): Promise<boolean> {
  const [row] = await api.db.sql<{ is: boolean }>(
    null,
    'SELECT key_prefix_is_exclusive AS is FROM products WHERE id = $1',
    [rowId(id)],
  );
  return row?.is ?? false;
}

test('a product has the default pattern until it is given one, and again when that is cleared', async () => {
  const { live } = await newBusiness(api);
  const { product } = await create(live, 'A');
  const standard = {
    kind: 'CHARACTERS',
    alphabet: '23456789ABCDEFGHJKLMNPQRSTUVWXYZ',
    groups: [5, 5, 5, 5, 5],
    prefix: null,
    checkCharacter: false,
    bits: 125,
    example: expect.stringMatching(/^(\w{5}-){4}\w{5}$/),
  };
  expect(product).toEqual({ id: product.id, version: 1, keyPattern: standard });
  const given = await call(live, 'updateProduct', {
    productId: product.id,
    keyPattern: { prefix: 'AC', groups: [10, 12] },
  });
  expect(given.product.keyPattern).toEqual({
    ...standard,
    groups: [10, 12],
    prefix: 'AC',
    checkCharacter: true,
    bits: 105,
    example: expect.stringMatching(/^AC-\w{10}-\w{12}$/),
  });
  const guid = await call(live, 'updateProduct', { productId: product.id, keyPattern: { kind: 'GUID' } });
  expect(guid.product.keyPattern).toMatchObject({
    kind: 'GUID',
    alphabet: null,
    groups: null,
    prefix: null,
    bits: 122,
  });
  const cleared = await call(live, 'updateProduct', { productId: product.id, keyPattern: null });
  expect(cleared.product).toEqual({ id: product.id, version: 4, keyPattern: standard });
});

test('weak patterns and prefixes that another product has, or begins with, are refused; those of other businesses are not', async () => {
  const { live } = await newBusiness(api);
  const { product } = await create(live, 'A', { prefix: 'ACME' });
  expect(codesOf(await create(live, 'B', { groups: [4, 4] }))).toEqual(['WEAK_KEY_PATTERN input.keyPattern']);
  for (const prefix of ['ACME', 'AC', 'ACMEX']) {
    expect(codesOf(await create(live, 'B', { prefix }))).toEqual(['KEY_PREFIX_TAKEN input.keyPattern.prefix']);
  }
  expect((await create(live, 'B', { prefix: 'BC' })).userErrors).toEqual([]);
  const same = await call(live, 'updateProduct', { productId: product.id, keyPattern: { prefix: 'ACME' } });
  expect(same.product.version).toBe(1);
  expect((await create((await newBusiness(api)).live, 'A', { prefix: 'ACME' })).userErrors).toEqual([]);
});

test('of many products that want one prefix, or the beginning of another’s, at once, one has it', async () => {
  const { live } = await newBusiness(api);
  const answers = await Promise.all(
    Array.from({ length: 10 }, (_, i) => create(live, `R${i}`, { prefix: 'RACE'.slice(0, 2 + (i % 3)) })),
  );
  expect(answers.flatMap(codesOf)).toEqual(Array(9).fill('KEY_PREFIX_TAKEN input.keyPattern.prefix'));
});

test('a prefix is exclusive only while the business has had no key that could begin with it', async () => {
  const { live, test } = await newBusiness(api);
  const { product: first } = await create(live, 'A', { prefix: 'AA' });
  expect(await isExclusive(first.id)).toBe(true);
  await newLicenseKey(api, test, { key: 'BB-made-elsewhere' });
  const { product: second } = await create(live, 'B', { prefix: 'BB' });
  expect([await isExclusive(first.id), await isExclusive(second.id)]).toEqual([true, false]);
  await call(live, 'updateProduct', { productId: first.id, keyPattern: { prefix: 'AA' }, name: 'Renamed' });
  expect(await isExclusive(first.id)).toBe(true);
  await call(live, 'updateProduct', { productId: first.id, keyPattern: { prefix: 'AA', groups: [30] } });
  expect(await isExclusive(first.id)).toBe(false);
  expect(await newProduct(api, live)).toMatch(/^prod_/);
});
