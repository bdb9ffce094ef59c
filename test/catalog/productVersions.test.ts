import { expect, test } from '@jest/globals';
import { useApi } from '../support/api.js';
import { newApiKey, newBusiness, newCustomer, newSession } from '../support/business.js';
import { newProduct, newProductVersion } from '../support/catalog.js';
import { changesOf } from '../support/licenses.js';
import { born, catalogCalls, idWith, noon, unknownId } from './catalogCalls.js';

const api = useApi();
const { run, refusals, codesOfTwenty, stateOf } = catalogCalls(api);

const verbs = ['create', 'update', 'publish', 'unpublish', 'archive'] as const;
const [create, update, publish, unpublish, archive] = verbs.map((verb) => {
  const name = `${verb}ProductVersion`;
  return `mutation ($input: ${name[0]?.toUpperCase()}${name.slice(1)}Input!) { ${name}(input: $input) {
    productVersion { id product { id } name description publishedAt archivedAt metadata version createdAt updatedAt }
    userErrors { __typename message path code } } }`;
}) as [string, string, string, string, string];

/** What a product says is its newest public version. */
async function latest(token: string, id: string): Promise<string | null> {
  const query = 'query ($id: ID!) { product(id: $id) { latestPublicVersionName } }';
  return (await api.data({ token, query, variables: { id } })).product.latestPublicVersionName;
}

test('a version is created, changed, published, taken back and archived, and each step is recorded', async () => {
  const { live } = await newBusiness(api);
  const productId = await newProduct(api, live);
  const input = { productId, name: ' 2.4.1 ', description: 'Faster', metadata: { build: 7, channel: 'beta' } };
  const made = (await run(live, create, input)).productVersion;
  const born1 = { product: { id: productId }, publishedAt: null, archivedAt: null, ...born };
  const metadata = { build: 7, channel: 'beta' };
  expect(made).toEqual({ id: idWith('ver'), name: '2.4.1', description: 'Faster', metadata, ...born1 });
  const { id: productVersionId } = made;
  const change = { name: '2.4.2', description: null, metadata: { channel: null } };
  const changed = await run(live, update, { productVersionId, expectedVersion: 1, ...change });
  const now2 = { ...made, name: '2.4.2', description: null, metadata: { build: 7 }, version: 2 };
  expect(changed).toEqual({ productVersion: now2, userErrors: [] });
  const published = await run(live, publish, { productVersionId });
  expect(published).toEqual({ productVersion: { ...now2, publishedAt: noon, version: 3 }, userErrors: [] });
  expect(await latest(live, productId)).toBe('2.4.2');
  // Again: nothing changes, unless another time is given.
  expect(await run(live, publish, { productVersionId })).toEqual(published);
  const past = '2025-01-01T00:00:00.000Z';
  const moved = await run(live, publish, { productVersionId, publishedAt: past });
  expect(moved.productVersion).toEqual({ ...now2, publishedAt: past, version: 4 });
  const back = await run(live, unpublish, { productVersionId });
  expect(back).toEqual({ productVersion: { ...now2, version: 5 }, userErrors: [] });
  expect(await run(live, unpublish, { productVersionId })).toEqual(back);
  expect(await latest(live, productId)).toBeNull();
  await run(live, publish, { productVersionId });
  const archived = await run(live, archive, { productVersionId });
  expect(archived).toEqual({ productVersion: { ...now2, archivedAt: noon, version: 7 }, userErrors: [] });
  expect(await run(live, archive, { productVersionId })).toEqual(archived);
  expect(await latest(live, productId)).toBeNull();
  const changes = await changesOf(api, productVersionId);
  expect(changes.map(({ type, before, after }) => [type.replace('product_version.', ''), before, after])).toEqual([
    ['created', null, null],
    [
      'updated',
      { name: '2.4.1', description: 'Faster', metadata },
      { name: '2.4.2', description: null, metadata: { build: 7 } },
    ],
    ['published', { publishedAt: null }, { publishedAt: noon }],
    ['published', { publishedAt: noon }, { publishedAt: past }],
    ['unpublished', { publishedAt: past }, { publishedAt: null }],
    ['published', { publishedAt: null }, { publishedAt: noon }],
    ['archived', { archivedAt: null, publishedAt: noon }, { archivedAt: noon, publishedAt: null }],
  ]);
});

test('the newest public version is the one published last, of several at one instant the one created last', async () => {
  const { live } = await newBusiness(api);
  const productId = await newProduct(api, live);
  const ids: Record<string, string> = {};
  for (const name of ['3.0', '1.0', '2.0']) ids[name] = await newProductVersion(api, live, { productId, name });
  const other = await newProductVersion(api, live, { name: '9.0', published: true });
  const publishAt = (name: string, publishedAt: string) =>
    run(live, publish, { productVersionId: ids[name], publishedAt });
  await publishAt('1.0', '2026-01-02T00:00:00Z');
  await publishAt('3.0', '2026-01-01T00:00:00Z');
  expect(await latest(live, productId)).toBe('1.0');
  await publishAt('2.0', '2026-01-02T00:00:00Z');
  expect(await latest(live, productId)).toBe('2.0');
  await run(live, unpublish, { productVersionId: ids['2.0'] });
  expect(await latest(live, productId)).toBe('1.0');
  await run(live, archive, { productVersionId: ids['1.0'] });
  expect(await latest(live, productId)).toBe('3.0');
  await run(live, update, { productVersionId: ids['3.0'], name: '3.0.1' });
  expect(await latest(live, productId)).toBe('3.0.1');
  // Another product's is its own; an archived product goes on telling its users.
  const { productVersion } = await api.data({
    token: live,
    query: 'query ($id: ID!) { productVersion(id: $id) { product { id latestPublicVersionName } } }',
    variables: { id: other },
  });
  expect(productVersion.product.latestPublicVersionName).toBe('9.0');
  const archiveProduct = `mutation ($input: ArchiveProductInput!) { archiveProduct(input: $input) { userErrors { code } } }`;
  await api.data({ token: live, query: archiveProduct, variables: { input: { productId } } });
  await newProductVersion(api, live, { productId, name: '3.0.2', published: true });
  expect(await latest(live, productId)).toBe('3.0.2');
});

test('versions refuse what does not fit, taken names and what is not theirs, and change nothing', async () => {
  const [business, other] = [await newBusiness(api), await newBusiness(api)];
  const { live } = business;
  const productId = await newProduct(api, live);
  const productVersionId = await newProductVersion(api, live, { productId, name: '1.0' });
  const archivedId = await newProductVersion(api, live, { productId, name: '0.9' });
  await run(live, archive, { productVersionId: archivedId });
  const foreign = await newProductVersion(api, other.live, { name: '1.0' });
  const before = [await stateOf(business), await stateOf(other)];
  const rows: [string, Record<string, unknown>, [string, string][]][] = [
    [create, { productId, name: ' ' }, [['INVALID_INPUT', 'input.name']]],
    [create, { productId, name: 'x'.repeat(65) }, [['INVALID_INPUT', 'input.name']]],
    [
      create,
      { productId, name: '1\n0', description: 'x'.repeat(2001), metadata: { ['k'.repeat(41)]: 1 } },
      [
        ['INVALID_INPUT', 'input.name'],
        ['INVALID_INPUT', 'input.description'],
        ['INVALID_INPUT', `input.metadata.${'k'.repeat(41)}`],
      ],
    ],
    [create, { productId, name: '1.0' }, [['NAME_TAKEN', 'input.name']]],
    [create, { productId, name: '0.9' }, [['NAME_TAKEN', 'input.name']]],
    [create, { productId: unknownId('prod'), name: '1.1' }, [['PRODUCT_NOT_FOUND', 'input.productId']]],
    [update, { productVersionId, name: null }, [['INVALID_INPUT', 'input.name']]],
    [update, { productVersionId, name: '0.9' }, [['NAME_TAKEN', 'input.name']]],
    [update, { productVersionId, name: 'x', expectedVersion: 2 }, [['STALE_OBJECT', 'input.expectedVersion']]],
    [publish, { productVersionId, publishedAt: '2026-03-01T12:00:00.001Z' }, [['INVALID_INPUT', 'input.publishedAt']]],
    [publish, { productVersionId: archivedId }, [['PRODUCT_VERSION_ARCHIVED', 'input.productVersionId']]],
    ...[update, publish, unpublish, archive].flatMap((query) =>
      [foreign, unknownId('ver'), productId, 'x'].map((id): [string, Record<string, unknown>, [string, string][]] => [
        query,
        { productVersionId: id },
        [['PRODUCT_VERSION_NOT_FOUND', 'input.productVersionId']],
      ]),
    ),
  ];
  for (const [query, input, expected] of rows) {
    expect([input, await refusals(live, query, input)]).toEqual([input, expected]);
  }
  const theirs = await newProduct(api, other.live);
  expect(await refusals(live, create, { productId: theirs, name: '1.1' })).toEqual([
    ['PRODUCT_NOT_FOUND', 'input.productId'],
  ]);
  expect(await stateOf(business)).toBe(before[0]);
});

test('of many versions with one name, and many updates that expect one version, one is made', async () => {
  const { live } = await newBusiness(api);
  const productId = await newProduct(api, live);
  expect(await codesOfTwenty(live, create, { productId, name: '1.0' })).toEqual(Array(19).fill('NAME_TAKEN'));
  const productVersionId = await newProductVersion(api, live, { productId, name: '2.0' });
  const stale = await codesOfTwenty(live, update, { productVersionId, name: '2.1', expectedVersion: 1 });
  expect(stale).toEqual(Array(19).fill('STALE_OBJECT'));
  expect(await codesOfTwenty(live, publish, { productVersionId })).toEqual([]);
  expect((await changesOf(api, productVersionId)).filter(({ type }) => type.endsWith('.updated'))).toHaveLength(1);
});

test('versions are listed by every condition, in both orders and without gaps', async () => {
  const { live } = await newBusiness(api);
  const productId = await newProduct(api, live);
  const ids: string[] = [];
  for (const [i, name] of ['a', 'b', 'c', 'd', 'e'].entries()) {
    api.setNow(`2026-02-0${i + 1}T00:00:00Z`);
    ids.push(await newProductVersion(api, live, { productId, name, metadata: { n: i % 2 } }));
  }
  api.setNow(null);
  await run(live, publish, { productVersionId: ids[2], publishedAt: '2026-02-10T00:00:00Z' });
  await run(live, publish, { productVersionId: ids[0], publishedAt: '2026-02-11T00:00:00Z' });
  await run(live, archive, { productVersionId: ids[4] });
  const query = `query ($id: ID!, $first: Int, $after: String, $where: ProductVersionWhere, $by: ProductVersionOrder) { product(id: $id) {
    versions(first: $first, after: $after, where: $where, orderBy: $by) { nodes { name } totalCount pageInfo { endCursor } } } }`;
  const list = async (variables: object = {}) =>
    (await api.data({ token: live, query, variables: { id: productId, ...variables } })).product.versions;
  const names = async (where: object) => {
    const { nodes, totalCount } = await list({ where });
    expect(totalCount).toBe(nodes.length);
    return nodes.map(({ name }: { name: string }) => name).join('');
  };
  expect(await names({})).toBe('dcba');
  expect(await names({ isArchived: true })).toBe('e');
  expect(await names({ isPublished: true })).toBe('ca');
  expect(await names({ isPublished: false })).toBe('db');
  expect(await names({ id: { in: [ids[1], ids[4], 'x'] } })).toBe('b');
  expect(await names({ name: { in: ['a', 'x'] } })).toBe('a');
  expect(await names({ publishedAt: { gte: '2026-02-10', lt: '2026-02-11' } })).toBe('c');
  expect(await names({ createdAt: { gte: '2026-02-02', lt: '2026-02-04' } })).toBe('cb');
  expect(await names({ metadata: { key: 'n', eq: '1' } })).toBe('db');
  for (const [direction, expected] of [
    ['DESC', 'dbac'],
    ['ASC', 'cabd'],
  ]) {
    let after: string | null = null;
    let paged = '';
    for (let i = 0; i < 4; i++) {
      const page: any = await list({ first: 1, after, by: { field: 'PUBLISHED_AT', direction } });
      paged += page.nodes[0].name;
      after = page.pageInfo.endCursor;
    }
    expect(paged).toBe(expected);
  }
});

test('versions are for API keys with the catalog scopes', async () => {
  const { live } = await newBusiness(api);
  const id = await newProductVersion(api, live);
  const reader = await newApiKey(api, live, ['CATALOG_READ']);
  const writer = await newApiKey(api, live, ['CATALOG_WRITE']);
  const session = await newSession(api, live, await newCustomer(api, live));
  const codes = async (token: string | null, query: string, variables: Record<string, unknown>) =>
    (await api.call({ token, query, variables })).errors?.map(({ extensions }) => extensions.code);
  const least = { productVersionId: id, productId: 'x', name: 'x' };
  for (const [i, query] of [create, update, publish, unpublish, archive].entries()) {
    const { productId, name, productVersionId } = least;
    const input = i === 0 ? { productId, name } : { productVersionId };
    expect(await codes(reader, query, { input })).toEqual(['FORBIDDEN']);
    expect(await codes(session, query, { input })).toEqual(['FORBIDDEN']);
    expect(await codes(null, query, { input })).toEqual(['UNAUTHENTICATED']);
  }
  const query = 'query ($id: ID!) { productVersion(id: $id) { name } }';
  expect(await codes(writer, query, { id })).toEqual(['FORBIDDEN']);
  expect(await codes(session, query, { id })).toEqual(['FORBIDDEN']);
  expect(await codes(null, query, { id })).toEqual(['UNAUTHENTICATED']);
  expect((await api.data({ token: reader, query, variables: { id } })).productVersion).toEqual({ name: '1.0.0' });
  const other = await newBusiness(api);
  expect(await api.data({ token: other.live, query, variables: { id } })).toEqual({ productVersion: null });
});
