import { expect, test } from '@jest/globals';
import { readConfig } from '../../src/config.js';
import { keyringOf } from '../../src/keyring.js';
import { noticeLowStock } from '../../src/licenseKeys/noticeLowStock.js';
import { testEnvironment, useApi } from '../support/api.js';
import { newApiKey, newBusiness, newCustomer, newSession } from '../support/business.js';
import { attachEntitlement, newEntitlement, newProduct, newProductOffering } from '../support/catalog.js';
import { newLicenseKey, newLicenseKeyPool } from '../support/licenseKeys.js';
import { changesOf, newLicense, rowsOf } from '../support/licenses.js';
import { callKey, findByText, refusals, textOfKey } from './keyCalls.js';

const api = useApi();

const create = `mutation ($input: CreateLicenseKeyPoolInput!) { createLicenseKeyPool(input: $input) {
  licenseKeyPool { id name product { id } lowStockThreshold availableCount usedCount lowSince version createdAt updatedAt }
  userErrors { code path } } }`;
const add = `mutation ($input: AddKeysToPoolInput!) { addKeysToPool(input: $input) {
  licenseKeyPool { id availableCount version } results { index last4 userErrors { code path } } userErrors { code path } } }`;
const issue = `mutation ($input: IssueGrantInput!) { issueGrant(input: $input) {
  grant { status licenseKey { id key source activationsLimit } } userErrors { code path ... on LicenseKeyPoolEmpty { needed available } } } }`;

async function call(token: string, query: string, input: object): Promise<any> {
  const answer = await api.call({ token, query, variables: { input } });
  expect(answer.errors).toBeUndefined();
  return Object.values(answer.data as object)[0];
}

const addKeys = (token: string, licenseKeyPoolId: string, keys: string[], more: object = {}) =>
  call(token, add, { licenseKeyPoolId, rows: keys.map((key) => ({ key })), ...more });

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
  const make = `mutation ($input: CreateEntitlementInput!) { createEntitlement(input: $input) { entitlement { id } userErrors { code path } } }`;
  const path = 'input.configuration.licenseKey.licenseKeyPoolId';
  for (const [token, fields, code] of [
    [theirs.live, { licenseKeyPoolId: pool }, 'LICENSE_KEY_POOL_NOT_FOUND'],
    [mine.live, { licenseKeyPoolId: 'pool_x' }, 'LICENSE_KEY_POOL_NOT_FOUND'],
    [mine.live, { licenseKeyPoolId: pool, fulfillmentMode: 'MANUAL' }, 'INVALID_INPUT'],
  ] as const) {
    expect(refusals(await call(token, make, { name: 'E', configuration: { licenseKey: fields } }))).toEqual([
      `${code} ${path}`,
    ]);
  }
  const update = `mutation ($input: UpdateEntitlementInput!) { updateEntitlement(input: $input) { entitlement { id } userErrors { code path } } }`;
  const licenseKey = { licenseKeyPoolId: 'pool_x' };
  expect(refusals(await call(mine.live, update, { entitlementId, configuration: { licenseKey } }))).toEqual([
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
