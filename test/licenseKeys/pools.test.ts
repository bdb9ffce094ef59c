import { expect, test } from '@jest/globals';
import { readConfig } from '../../src/config.js';
import { keyringOf } from '../../src/keyring.js';
import { noticeLowStock } from '../../src/licenseKeys/noticeLowStock.js';
import { testEnvironment, useApi } from '../support/api.js';
import { newApiKey, newBusiness, newCustomer, newSession } from '../support/business.js';
import { attachEntitlement, newEntitlement, newProduct, newProductOffering } from '../support/catalog.js';
import { holdRows } from '../support/holdRows.js';
import { newLicenseKey, newLicenseKeyPool } from '../support/licenseKeys.js';
import { changesOf, newLicense, rowId, rowsOf } from '../support/licenses.js';
import { callKey, findByText, refusals, textOfKey } from './keyCalls.js';

const api = useApi();

const create = `mutation ($input: CreateLicenseKeyPoolInput!) { createLicenseKeyPool(input: $input) {
  licenseKeyPool { id name product { id } lowStockThreshold availableCount usedCount lowSince version createdAt updatedAt }
  userErrors { code path } } }`;
const add = `mutation ($input: AddKeysToPoolInput!) { addKeysToPool(input: $input) {
  licenseKeyPool { id availableCount version } results { index last4 userErrors { code path } } userErrors { code path } } }`;
const issue = `mutation ($input: IssueGrantInput!) { issueGrant(input: $input) {
  grant { status licenseKey { id key source activationsLimit } } userErrors { code path ... on LicenseKeyPoolEmpty { needed available } } } }`;

const poolFields = 'id name product { id } lowStockThreshold availableCount usedCount lowSince archivedAt version';
const update = `mutation ($input: UpdateLicenseKeyPoolInput!) { updateLicenseKeyPool(input: $input) {
  licenseKeyPool { ${poolFields} } userErrors { code path } } }`;
const archive = `mutation ($input: ArchiveLicenseKeyPoolInput!) { archiveLicenseKeyPool(input: $input) {
  licenseKeyPool { ${poolFields} } userErrors { code path } } }`;
const remove = `mutation ($input: RemoveKeysFromPoolInput!) { removeKeysFromPool(input: $input) {
  licenseKeyPool { id availableCount usedCount version } results { index last4 userErrors { code path } } userErrors { code path } } }`;
const createSource = `mutation ($input: CreateEntitlementInput!) { createEntitlement(input: $input) {
  entitlement { id } userErrors { code path } } }`;
const updateSource = `mutation ($input: UpdateEntitlementInput!) { updateEntitlement(input: $input) {
  entitlement { id } userErrors { code path } } }`;

async function call(token: string, query: string, input: object): Promise<any> {
  const answer = await api.call({ token, query, variables: { input } });
  expect(answer.errors).toBeUndefined();
  return Object.values(answer.data as object)[0];
}

const addKeys = (token: string, licenseKeyPoolId: string, keys: string[], more: object = {}) =>
  call(token, add, { licenseKeyPoolId, rows: keys.map((key) => ({ key })), ...more });

const takeOut = (token: string, licenseKeyPoolId: string, keys: string[], more: object = {}) =>
  call(token, remove, { licenseKeyPoolId, rows: keys.map((key) => ({ key })), ...more });

async function stockOf(token: string, id: string): Promise<any> {
  const query = 'query ($id: ID!) { licenseKeyPool(id: $id) { availableCount usedCount lowSince } }';
  return (await api.data({ token, query, variables: { id } })).licenseKeyPool;
}

test('a pool is created once by name, and listed', async () => {
  const { live } = await newBusiness(api);
  const productId = await newProduct(api, live);
  const { licenseKeyPool, userErrors } = await call(live, create, { name: ' Steam ', productId, lowStockThreshold: 3 });
  expect(userErrors).toEqual([]);
  expect(licenseKeyPool).toEqual({
    id: expect.stringMatching(/^pool_/),
    name: 'Steam',
    product: { id: productId },
    lowStockThreshold: 3,
    availableCount: 0,
    usedCount: 0,
    lowSince: null,
    version: 1,
    createdAt: expect.any(String),
    updatedAt: licenseKeyPool.createdAt,
  });
  const races = await Promise.all(Array.from({ length: 8 }, () => call(live, create, { name: 'Steam' })));
  expect(races.flatMap(refusals)).toEqual(Array(8).fill('NAME_TAKEN input.name'));
  expect(refusals(await call(live, create, { name: ' ', lowStockThreshold: -1 }))).toEqual([
    'INVALID_INPUT input.name',
    'INVALID_INPUT input.lowStockThreshold',
  ]);
  expect(refusals(await call(live, create, { name: 'P', productId: 'prod_x' }))).toEqual([
    'PRODUCT_NOT_FOUND input.productId',
  ]);
  const other = await newBusiness(api);
  expect(refusals(await call(other.live, create, { name: 'P', productId }))).toEqual([
    'PRODUCT_NOT_FOUND input.productId',
  ]);
  const list = '{ licenseKeyPools(where: { name: { in: ["Steam"] } }) { totalCount nodes { id } } }';
  expect((await api.data({ token: live, query: list })).licenseKeyPools).toEqual({
    totalCount: 1,
    nodes: [{ id: licenseKeyPool.id }],
  });
});

test('keys are added row by row or all or nothing, and the business knows them from then on', async () => {
  const { live } = await newBusiness(api);
  await newProduct(api, live, { keyPattern: { prefix: 'RSVD' } });
  await newLicenseKey(api, live, { key: 'KNOWN-1' });
  const id = await newLicenseKeyPool(api, live);
  const keys = [' POOL-0001 ', 'known1', '', 'pool 0001', 'RSVD-1', 'POOL-0002'];
  const before = await rowsOf(api);
  const refused = await addKeys(live, id, keys, { onError: 'ALL_OR_NOTHING' });
  expect(refusals(refused)).toEqual(
    [
      'LICENSE_KEY_TAKEN input.rows.1.key',
      'KEY_BLANK input.rows.2.key',
      'LICENSE_KEY_TAKEN input.rows.3.key',
      'RESERVED_KEY_PREFIX input.rows.4.key',
    ].sort((a, b) => Number(/rows\.(\d)/.exec(a)?.[1]) - Number(/rows\.(\d)/.exec(b)?.[1])),
  );
  expect([refused.results, await rowsOf(api)]).toEqual([null, before]);
  const { results, licenseKeyPool } = await addKeys(live, id, keys);
  expect(results.map(({ last4, userErrors }: any) => last4 ?? userErrors[0].code)).toEqual([
    '0001',
    'LICENSE_KEY_TAKEN',
    'KEY_BLANK',
    'LICENSE_KEY_TAKEN',
    'RESERVED_KEY_PREFIX',
    '0002',
  ]);
  expect(licenseKeyPool).toEqual({ id, availableCount: 2, version: 2 });
  const licenseId = await newLicense(api, live);
  expect(refusals(await callKey(api, live, 'issueLicenseKey', { licenseId, key: 'pool0002' }))).toEqual([
    'LICENSE_KEY_TAKEN input.key',
  ]);
  expect(await findByText(api, live, 'POOL-0001')).toEqual([]);
  const stored = await api.db.sql<{ row: string }>(
    null,
    'SELECT to_jsonb(k)::text AS row FROM license_key_pool_keys k',
    [],
  );
  expect(JSON.stringify(stored)).not.toMatch(/POOL-0001|504f4f4c2d30303031/i);
  expect(refusals(await addKeys(live, id, []))).toEqual(['INVALID_INPUT input.rows']);
  expect(refusals(await addKeys(live, 'pool_x', ['Z']))).toEqual(['LICENSE_KEY_POOL_NOT_FOUND input.licenseKeyPoolId']);
  const races = await Promise.all(Array.from({ length: 8 }, () => addKeys(live, id, ['SAME-1', 'SAME-2'])));
  expect(races.flatMap(({ results: rows }) => rows).filter(({ last4 }: any) => last4 !== null)).toHaveLength(2);
});

test('an entitlement of a pool gives its keys in their order; an empty pool refuses and gives nothing', async () => {
  const { live } = await newBusiness(api);
  const id = await newLicenseKeyPool(api, live, ['DRAW-1', 'DRAW-2']);
  const entitlementId = await newEntitlement(api, live, { licenseKey: { licenseKeyPoolId: id, activationsLimit: 4 } });
  const read = `query ($id: ID!) { entitlement(id: $id) { configuration { ... on LicenseKeyConfiguration {
    keySource licenseKeyPool { id } } } } }`;
  const { entitlement } = await api.data({ token: live, query: read, variables: { id: entitlementId } });
  expect(entitlement.configuration).toEqual({ keySource: 'POOL', licenseKeyPool: { id } });
  const customerId = await newCustomer(api, live);
  const keys: string[] = [];
  for (const key of ['DRAW-1', 'DRAW-2']) {
    const { grant } = await call(live, issue, { entitlementId, customerId });
    expect(grant).toEqual({
      status: 'DELIVERED',
      licenseKey: { id: expect.stringMatching(/^lkey_/), key, source: 'POOL', activationsLimit: 4 },
    });
    expect(await findByText(api, live, key)).toEqual([grant.licenseKey.id]);
    keys.push(grant.licenseKey.id);
  }
  expect(await stockOf(live, id)).toEqual({ availableCount: 0, usedCount: 2, lowSince: null });
  const before = await rowsOf(api);
  const empty = await call(live, issue, { entitlementId, customerId });
  expect(empty).toEqual({
    grant: null,
    userErrors: [{ code: 'LICENSE_KEY_POOL_EMPTY', path: ['input', 'entitlementId'], needed: 1, available: 0 }],
  });
  expect(await rowsOf(api)).toBe(before);
  const rotated = await callKey(api, live, 'rotateLicenseKey', { licenseKeyId: keys[0], key: 'NEW-1' });
  expect(rotated.userErrors).toEqual([]);
  expect(await findByText(api, live, 'DRAW-1')).toEqual([keys[0]]);
  expect(await textOfKey(api, live, keys[0] as string)).toBe('NEW-1');
});

test('a license draws one key for each entitlement of the pool, or none is made', async () => {
  const { live } = await newBusiness(api);
  const pool = await newLicenseKeyPool(api, live, ['TWO-1', 'TWO-2', 'TWO-3']);
  const productOfferingId = await newProductOffering(api, live);
  for (let i = 0; i < 2; i++) {
    await attachEntitlement(api, live, { target: { productOfferingId }, licenseKey: { licenseKeyPoolId: pool } });
  }
  await newLicense(api, live, { productOfferingId });
  expect(await stockOf(live, pool)).toMatchObject({ availableCount: 1, usedCount: 2 });
  const query =
    'mutation ($input: CreateLicenseInput!) { createLicense(input: $input) { license { id } userErrors { code path } } }';
  const customerId = await newCustomer(api, live);
  expect(refusals(await call(live, query, { productOfferingId, customerId }))).toEqual([
    'LICENSE_KEY_POOL_EMPTY input',
  ]);
  expect(await stockOf(live, pool)).toMatchObject({ availableCount: 1, usedCount: 2 });
});

test('fifty draws at once of forty keys give forty different ones and ten refusals', async () => {
  const { live } = await newBusiness(api);
  const keys = Array.from({ length: 40 }, (_, i) => `MANY-${i}`);
  const pool = await newLicenseKeyPool(api, live, keys);
  const entitlementId = await newEntitlement(api, live, { licenseKey: { licenseKeyPoolId: pool } });
  const customerId = await newCustomer(api, live);
  const answers = await Promise.all(Array.from({ length: 50 }, () => call(live, issue, { entitlementId, customerId })));
  expect(answers.flatMap(({ grant }) => grant?.licenseKey.key ?? []).sort()).toEqual([...keys].sort());
  expect(answers.flatMap(refusals)).toEqual(Array(10).fill('LICENSE_KEY_POOL_EMPTY input.entitlementId'));
  expect(await stockOf(live, pool)).toMatchObject({ availableCount: 0, usedCount: 40 });
});

test('a draw passes over a key that another transaction holds, and does not wait for it', async () => {
  const { live } = await newBusiness(api);
  const pool = await newLicenseKeyPool(api, live, ['HELD-1', 'FREE-2']);
  const entitlementId = await newEntitlement(api, live, { licenseKey: { licenseKeyPoolId: pool } });
  const customerId = await newCustomer(api, live);
  const first = `SELECT id FROM license_key_pool_keys WHERE pool_id = $1 ORDER BY id LIMIT 1 FOR UPDATE`;
  const held = await holdRows(api, first, [rowId(pool)]);
  expect((await call(live, issue, { entitlementId, customerId })).grant.licenseKey.key).toBe('FREE-2');
  await held.release();
  expect((await call(live, issue, { entitlementId, customerId })).grant.licenseKey.key).toBe('HELD-1');
});

test('a draw that is given back is somebody else’s: the last key is not missed', async () => {
  const { live } = await newBusiness(api);
  const pool = await newLicenseKeyPool(api, live, ['LAST-1']);
  const entitlementId = await newEntitlement(api, live, { licenseKey: { licenseKeyPoolId: pool } });
  const customerId = await newCustomer(api, live);
  const client = await api.db.writer.pool.connect();
  await client.query('BEGIN');
  await client.query('UPDATE license_key_pool_keys SET drawn_at = now() WHERE drawn_at IS NULL');
  const waiting = call(live, issue, { entitlementId, customerId });
  const blocked = async () =>
    (
      await api.db.sql<{ n: number }>(
        null,
        "SELECT count(*)::int AS n FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'",
        [],
      )
    )[0]?.n ?? 0;
  while ((await blocked()) === 0) await new Promise((resolve) => setImmediate(resolve));
  await client.query('ROLLBACK');
  client.release();
  expect((await waiting).grant.licenseKey.key).toBe('LAST-1');
});

test('live keys are not drawn in test mode, nor another tenant’s at all', async () => {
  const [mine, theirs] = [await newBusiness(api), await newBusiness(api)];
  const pool = await newLicenseKeyPool(api, mine.live, ['LIVE-1']);
  const entitlementId = await newEntitlement(api, mine.live, { licenseKey: { licenseKeyPoolId: pool } });
  const customerId = await newCustomer(api, mine.test);
  expect(refusals(await call(mine.test, issue, { entitlementId, customerId }))).toEqual([
    'LICENSE_KEY_POOL_EMPTY input.entitlementId',
  ]);
  expect(await stockOf(mine.test, pool)).toMatchObject({ availableCount: 0 });
  const path = 'input.configuration.licenseKey.licenseKeyPoolId';
  for (const [token, fields, code] of [
    [theirs.live, { licenseKeyPoolId: pool }, 'LICENSE_KEY_POOL_NOT_FOUND'],
    [mine.live, { licenseKeyPoolId: 'pool_x' }, 'LICENSE_KEY_POOL_NOT_FOUND'],
    [mine.live, { licenseKeyPoolId: pool, fulfillmentMode: 'MANUAL' }, 'INVALID_INPUT'],
  ] as const) {
    expect(refusals(await call(token, createSource, { name: 'E', configuration: { licenseKey: fields } }))).toEqual([
      `${code} ${path}`,
    ]);
  }
  const licenseKey = { licenseKeyPoolId: 'pool_x' };
  expect(refusals(await call(mine.live, updateSource, { entitlementId, configuration: { licenseKey } }))).toEqual([
    `LICENSE_KEY_POOL_NOT_FOUND ${path}`,
  ]);
  expect(refusals(await addKeys(theirs.live, pool, ['X']))).toEqual([
    'LICENSE_KEY_POOL_NOT_FOUND input.licenseKeyPoolId',
  ]);
  const tokens = [await newApiKey(api, mine.live, ['LICENSE_KEYS_READ']), await newSession(api, mine.test, customerId)];
  for (const token of tokens) {
    for (const [query, input] of [
      [add, { licenseKeyPoolId: pool, rows: [{ key: 'X' }] }],
      [create, { name: 'X' }],
    ] as const) {
      const answer = await api.call({ token, query, variables: { input } });
      expect(answer.errors?.map(({ extensions }) => extensions.code)).toEqual(['FORBIDDEN']);
    }
  }
});

test('what nobody has drawn is taken out and forgotten; of a draw and a removal of one key at once, one has it', async () => {
  const { live, test: inTest } = await newBusiness(api);
  const pool = await newLicenseKeyPool(api, live, ['OUT-1', 'OUT-2', 'OUT-3', 'OUT-4']);
  const elsewhere = await newLicenseKeyPool(api, live, ['OUT-5']);
  const entitlementId = await newEntitlement(api, live, { licenseKey: { licenseKeyPoolId: pool } });
  const customerId = await newCustomer(api, live);
  await call(live, issue, { entitlementId, customerId });
  const keys = ['out 2', 'OUT-1', 'OUT2', 'OUT-5', '', 'OUT-3'];
  const before = await rowsOf(api);
  const refused = await takeOut(live, pool, keys, { onError: 'ALL_OR_NOTHING' });
  const missing = [1, 2, 3, 4].map((index) => `POOL_KEY_NOT_FOUND input.rows.${index}.key`);
  expect([refusals(refused), refused.results, await rowsOf(api)]).toEqual([missing, null, before]);
  for (const [token, id, code] of [
    [inTest, pool, 'POOL_KEY_NOT_FOUND'],
    [live, elsewhere, 'POOL_KEY_NOT_FOUND'],
  ] as const) {
    const { results } = await takeOut(token, id, ['OUT-2']);
    expect(results).toEqual([{ index: 0, last4: null, userErrors: [{ code, path: ['input', 'rows', '0', 'key'] }] }]);
  }
  expect(await rowsOf(api)).toBe(before);
  const { results, licenseKeyPool, userErrors } = await takeOut(live, pool, keys);
  expect(userErrors).toEqual([]);
  expect(results.map(({ index, last4 }: any) => [index, last4])).toEqual([
    [0, '-2'],
    [1, null],
    [2, null],
    [3, null],
    [4, null],
    [5, '-3'],
  ]);
  expect(licenseKeyPool).toEqual({ id: pool, availableCount: 1, usedCount: 1, version: 3 });
  expect((await changesOf(api, pool)).at(-1)).toMatchObject({
    type: 'license_key_pool.keys_removed',
    sequence: 3,
    after: { removed: 2 },
  });
  // Forgotten: it can be used elsewhere, and added again.
  expect((await addKeys(live, elsewhere, ['OUT-2'])).results[0].last4).toBe('-2');
  expect(refusals(await takeOut(live, pool, []))).toEqual(['INVALID_INPUT input.rows']);
  const many = Array.from({ length: 12 }, (_, i) => `BOTH-${i}`);
  await addKeys(live, pool, many);
  const [outs, draws] = await Promise.all([
    Promise.all([many, [...many].reverse(), many].map((rows) => takeOut(live, pool, rows))),
    Promise.all(Array.from({ length: 8 }, () => call(live, issue, { entitlementId, customerId }))),
  ]);
  const removed = outs.flatMap((out) => out.results).filter(({ last4 }: any) => last4 !== null).length;
  const drawn = draws.flatMap(({ grant }) => grant?.licenseKey.key ?? []);
  expect(new Set(drawn).size).toBe(drawn.length);
  expect([removed + drawn.length, drawn.length + draws.flatMap(refusals).length]).toEqual([
    13 - (await stockOf(live, pool)).availableCount,
    8,
  ]);
  for (const key of drawn) expect(await findByText(api, live, key)).toHaveLength(1);
});

test('a pool is changed: absent leaves, null clears; it is low by its new threshold', async () => {
  const { live } = await newBusiness(api);
  const productId = await newProduct(api, live);
  await newLicenseKeyPool(api, live, [], { name: 'Taken' });
  const licenseKeyPoolId = await newLicenseKeyPool(api, live, ['U-1'], { productId, lowStockThreshold: 3 });
  const keyring = keyringOf(readConfig(testEnvironment));
  await noticeLowStock({ db: api.db, keyring, mailFolder: null, clock: () => new Date('2026-12-01T10:00:00Z') });
  expect((await stockOf(live, licenseKeyPoolId)).lowSince).not.toBeNull();
  const input = { licenseKeyPoolId, name: ' GOG ', lowStockThreshold: 2, expectedVersion: 3 };
  const changed = await call(live, update, input);
  expect(changed.userErrors).toEqual([]);
  expect(changed.licenseKeyPool).toMatchObject({
    id: licenseKeyPoolId,
    name: 'GOG',
    product: { id: productId },
    lowStockThreshold: 2,
    availableCount: 1,
    lowSince: '2026-12-01T10:00:00.000Z',
    archivedAt: null,
    version: 4,
  });
  const cleared = await call(live, update, { licenseKeyPoolId, productId: null, lowStockThreshold: 1 });
  expect(cleared.licenseKeyPool).toMatchObject({ name: 'GOG', product: null, lowSince: null, version: 5 });
  expect((await changesOf(api, licenseKeyPoolId)).at(-1)).toMatchObject({
    type: 'license_key_pool.updated',
    after: { productId: null, lowStockThreshold: 1 },
  });
  const before = await rowsOf(api);
  expect((await call(live, update, { licenseKeyPoolId, name: 'GOG' })).licenseKeyPool.version).toBe(5);
  for (const [fields, expected] of [
    [{ name: 'Taken' }, ['NAME_TAKEN input.name']],
    [{ name: null, lowStockThreshold: -1 }, ['INVALID_INPUT input.name', 'INVALID_INPUT input.lowStockThreshold']],
    [{ productId: 'prod_x' }, ['PRODUCT_NOT_FOUND input.productId']],
    [{ expectedVersion: 4 }, ['STALE_OBJECT input.expectedVersion']],
  ] as const) {
    expect(refusals(await call(live, update, { licenseKeyPoolId, ...fields }))).toEqual(expected);
  }
  expect(await rowsOf(api)).toBe(before);
  const races = await Promise.all(
    Array.from({ length: 8 }, (_, i) => call(live, update, { licenseKeyPoolId, name: `N ${i}`, expectedVersion: 5 })),
  );
  expect(races.flatMap(refusals)).toEqual(Array(7).fill('STALE_OBJECT input.expectedVersion'));
});

test('an archived pool takes no keys and becomes no source; what draws from it goes on, and it is not called low', async () => {
  const { live } = await newBusiness(api);
  const pool = await newLicenseKeyPool(api, live, ['ARC-1', 'ARC-2'], { lowStockThreshold: 2 });
  const entitlementId = await newEntitlement(api, live, { licenseKey: { licenseKeyPoolId: pool } });
  const customerId = await newCustomer(api, live);
  api.setNow('2026-12-01T10:00:00.000Z');
  const all = await Promise.all(Array.from({ length: 6 }, () => call(live, archive, { licenseKeyPoolId: pool })));
  api.setNow(null);
  for (const answer of all) {
    expect(answer).toEqual({ licenseKeyPool: expect.objectContaining({ id: pool, version: 3 }), userErrors: [] });
    expect(answer.licenseKeyPool.archivedAt).toBe('2026-12-01T10:00:00.000Z');
  }
  expect((await changesOf(api, pool)).map(({ type }) => type)).toEqual([
    'license_key_pool.created',
    'license_key_pool.keys_added',
    'license_key_pool.archived',
  ]);
  const other = await newEntitlement(api, live);
  const before = await rowsOf(api);
  expect(refusals(await addKeys(live, pool, ['ARC-3']))).toEqual(['LICENSE_KEY_POOL_ARCHIVED input.licenseKeyPoolId']);
  const configuration = { licenseKey: { licenseKeyPoolId: pool } };
  const path = 'LICENSE_KEY_POOL_ARCHIVED input.configuration.licenseKey.licenseKeyPoolId';
  expect(refusals(await call(live, createSource, { name: 'E', configuration }))).toEqual([path]);
  expect(refusals(await call(live, updateSource, { entitlementId: other, configuration }))).toEqual([path]);
  expect(await rowsOf(api)).toBe(before);
  const own = { licenseKey: { licenseKeyPoolId: pool, activationsLimit: 7 } };
  expect(refusals(await call(live, updateSource, { entitlementId, configuration: own }))).toEqual([]);
  expect((await call(live, issue, { entitlementId, customerId })).grant.licenseKey).toMatchObject({ key: 'ARC-1' });
  const keyring = keyringOf(readConfig(testEnvironment));
  expect(await noticeLowStock({ db: api.db, keyring, mailFolder: null, clock: () => new Date() })).toBe(0);
  const list = async (where: object) => {
    const query = 'query ($where: LicenseKeyPoolWhere) { licenseKeyPools(where: $where) { nodes { id } } }';
    return (await api.data({ token: live, query, variables: { where } })).licenseKeyPools.nodes;
  };
  expect([await list({}), await list({ isArchived: false }), await list({ isArchived: true })]).toEqual([
    [],
    [],
    [{ id: pool }],
  ]);
  expect((await takeOut(live, pool, ['ARC-2'])).results).toMatchObject([{ last4: '-2' }]);
});

test('pools are not another tenant’s to change, nor without the scope, nor a session’s', async () => {
  const [mine, theirs] = [await newBusiness(api), await newBusiness(api)];
  const licenseKeyPoolId = await newLicenseKeyPool(api, mine.live, ['MINE-1']);
  const customerId = await newCustomer(api, mine.live);
  const calls = [
    [update, { licenseKeyPoolId, name: 'X' }],
    [archive, { licenseKeyPoolId }],
    [remove, { licenseKeyPoolId, rows: [{ key: 'MINE-1' }] }],
  ] as const;
  const tokens = [await newApiKey(api, mine.live, ['LICENSE_KEYS_READ']), await newSession(api, mine.live, customerId)];
  const before = await rowsOf(api);
  for (const [query, input] of calls) {
    expect(refusals(await call(theirs.live, query, input))).toEqual([
      'LICENSE_KEY_POOL_NOT_FOUND input.licenseKeyPoolId',
    ]);
    for (const token of tokens) {
      const answer = await api.call({ token, query, variables: { input } });
      expect(answer.errors?.map(({ extensions }) => extensions.code)).toEqual(['FORBIDDEN']);
    }
  }
  expect(await rowsOf(api)).toBe(before);
});

test('low stock is told once for each crossing, however many workers look', async () => {
  const { live } = await newBusiness(api);
  const pool = await newLicenseKeyPool(api, live, ['L-1', 'L-2'], { lowStockThreshold: 2 });
  const entitlementId = await newEntitlement(api, live, { licenseKey: { licenseKeyPoolId: pool } });
  const customerId = await newCustomer(api, live);
  const keyring = keyringOf(readConfig(testEnvironment));
  const look = () =>
    noticeLowStock({ db: api.db, keyring, mailFolder: null, clock: () => new Date('2026-12-01T10:00:00Z') });
  const draw = () => call(live, issue, { entitlementId, customerId });
  expect(await look()).toBe(0);
  await draw();
  expect((await Promise.all(Array.from({ length: 6 }, look))).reduce((sum, told) => sum + told)).toBe(1);
  await draw();
  expect(await look()).toBe(0);
  expect(await stockOf(live, pool)).toMatchObject({ availableCount: 0, lowSince: '2026-12-01T10:00:00.000Z' });
  await addKeys(live, pool, ['L-3', 'L-4']);
  expect(await stockOf(live, pool)).toMatchObject({ availableCount: 2, lowSince: null });
  await draw();
  expect([await look(), await look()]).toEqual([1, 0]);
  const told = (await changesOf(api, pool)).filter(({ type }) => type === 'license_key_pool.low_stock');
  expect(told.map(({ actor_kind, after }) => [actor_kind, after])).toEqual([
    ['SYSTEM', { available: 1, lowStockThreshold: 2 }],
    ['SYSTEM', { available: 1, lowStockThreshold: 2 }],
  ]);
});
