import { expect, test } from '@jest/globals';
import { useApi, type Answer } from '../support/api.js';
import { newApiKey, newBusiness, newCustomer, newSession, type TestBusiness } from '../support/business.js';
import {
  newPackage,
  newPackagePrice,
  newProduct,
  newProductOffering,
  newProductVersion,
  newSubscriptionType,
} from '../support/catalog.js';
import { asked, newBareKey } from '../support/keys.js';
import { newLicenseKeyPool } from '../support/licenseKeys.js';
import { changeLicense, changesOf, newLicense, rowId } from '../support/licenses.js';
import { creditWallet, newWallet } from '../support/wallets.js';
import { purchaseInput } from '../support/world.js';

const api = useApi();
const PERMANENT = '9999-01-01T00:00:00.000Z';

const publicQuery = `query ($key: String!, $testMode: Boolean) { publicLicenseKey(key: $key, testMode: $testMode) {
  exists key isValid productSku latestPublicVersionName } }`;
const currentQuery = `query ($key: String!) { currentLicense(key: $key) {
  productSku issuedToIdentifier validFrom validUntil isPermanent keyIdentifier isActive } }`;
const licensesQuery = `query ($customerNumber: String!, $productSku: String!, $first: Int, $after: String, $last: Int) {
  productLicenses(customerNumber: $customerNumber, productSku: $productSku, first: $first, after: $after, last: $last) {
    totalCount pageInfo { hasNextPage endCursor } edges { cursor node { licenseIdentifier } }
    nodes { internalUserIdentifier from until isActive orderIdentifier licenseIdentifier licenseKey } } }`;

const askPublic = async ({ brandUrl }: Pick<TestBusiness, 'brandUrl'>, key: string, testMode?: boolean) => {
  const { query, headers } = asked({ brandUrl }, publicQuery, {});
  return (await api.data({ query, headers, variables: { key, testMode } })).publicLicenseKey;
};
const askCurrent = async (token: string, key: string, headers = {}) =>
  (await api.data({ token, query: currentQuery, variables: { key }, headers })).currentLicense;
const listing = (token: string, customerNumber: string, productSku: string, page = {}, headers = {}): Promise<Answer> =>
  api.call({ token, query: licensesQuery, variables: { customerNumber, productSku, ...page }, headers });
const list = async (...args: Parameters<typeof listing>) => {
  const { data, errors } = await listing(...args);
  expect(errors).toBeUndefined();
  return data.productLicenses;
};

/** Sets columns of a row that callers cannot, such as numbers of the source's examples. */
async function set(table: string, id: string, columns: Record<string, unknown>): Promise<void> {
  const names = Object.keys(columns).map((name, i) => `${name} = $${i + 2}`);
  await api.db.sql(null, `UPDATE ${table} SET ${names.join(', ')} WHERE id = $1`, [
    rowId(id),
    ...Object.values(columns),
  ]);
}

async function mutate(token: string, name: string, input: object, fields = ''): Promise<any> {
  const query = `mutation ($input: ${name[0]?.toUpperCase()}${name.slice(1)}Input!) { ${name}(input: $input) { ${fields} userErrors { message } } }`;
  return (await api.data({ token, query, variables: { input } }))[name];
}

/** Gives a license a key with this text. */
async function keyFor(token: string, licenseId: string, key: string): Promise<string> {
  return (await mutate(token, 'issueLicenseKey', { licenseId, key }, 'licenseKey { id }')).licenseKey.id;
}

async function numberOf(token: string, customerId: string): Promise<string> {
  const query = 'query ($id: ID!) { customer(id: $id) { number } }';
  return (await api.data({ token, query, variables: { id: customerId } })).customer.number;
}

/** A customer with a product, and a license of it on a key of this text. */
async function newKeyedLicense(
  business: TestBusiness,
  key: string,
  fields: { sku?: string; customerId?: string } = {},
) {
  const { live } = business;
  const customerId = fields.customerId ?? (await newCustomer(api, live));
  const sku = fields.sku ?? `sku-${key}`;
  const productId = await newProduct(api, live, { sku });
  const productOfferingId = await newProductOffering(api, live, { productId });
  const licenseId = await newLicense(api, live, { customerId, productOfferingId });
  const licenseKeyId = await keyFor(live, licenseId, key);
  return { customerId, customerNumber: await numberOf(live, customerId), sku, productId, licenseId, licenseKeyId };
}

/** A license of a package with its order, bought for thirty days on this key from the server's now on. */
async function newBoughtLicense(token: string, customerId: string, primaryProductId: string, code?: string, more = {}) {
  const packageId = await newPackage(api, token, { primaryProductId, ...more });
  const subscriptionTypeId = await newSubscriptionType(api, token);
  await newPackagePrice(api, token, { packageId, subscriptionTypeId });
  const walletId = await newWallet(api, token, { customerId });
  await creditWallet(api, token, walletId, '1000');
  const window = { startDate: api.now(), endDate: new Date(api.now().getTime() + 30 * 86_400_000) };
  const input = purchaseInput({ walletId, packageId, subscriptionTypeId, customerId }, { code, ...window });
  const fields = 'order { id number } licenses { id number }';
  const { order, licenses } = await mutate(token, 'purchaseLicensesByWallet', input, fields);
  return { order, licenseId: licenses[0].id as string, input };
}

test('the examples of source 001, value by value and to the millisecond', async () => {
  api.setNow('2018-10-19T16:24:59.089163Z');
  const business = await newBusiness(api);
  const { live } = business;
  const customerId = await newCustomer(api, live);
  await set('customers', customerId, { number: 'K109025530' });
  const productId = await newProduct(api, live, { sku: 'arpc3ydo0qbxbufuncdh' });
  const first = await newBoughtLicense(live, customerId, productId, '2f25e95e-a816-48a0-b83a-01ea14c8b276');
  await set('licenses', first.licenseId, { number: 'L156429250', valid_until: null });
  await set('orders', first.order.id, { number: 'B441542389' });
  api.setNow('2018-10-22T13:09:47.389843Z');
  expect((await changeLicense(api, live, 'pause', first.licenseId)).userErrors).toEqual([]);
  const productOfferingId = await newProductOffering(api, live, { productId });
  const second = await newLicense(api, live, { customerId, productOfferingId });
  await keyFor(live, second, '998ccfc9-77c6-4837-8f10-b83279b065a9');
  await set('licenses', second, { number: 'L309483763', valid_until: '2018-10-27T13:09:47.389Z' });
  api.setNow('2018-10-27T13:09:47.388Z');
  const { nodes } = await list(live, 'K109025530', 'arpc3ydo0qbxbufuncdh');
  expect(nodes).toEqual([
    {
      internalUserIdentifier: 'K109025530',
      from: '2018-10-19T16:24:59.089Z',
      until: '9999-01-01T00:00:00.000Z',
      isActive: false,
      orderIdentifier: 'B441542389',
      licenseIdentifier: 'L156429250',
      licenseKey: '2f25e95e-a816-48a0-b83a-01ea14c8b276',
    },
    {
      internalUserIdentifier: 'K109025530',
      from: '2018-10-22T13:09:47.389Z',
      until: '2018-10-27T13:09:47.389Z',
      isActive: true,
      orderIdentifier: null,
      licenseIdentifier: 'L309483763',
      licenseKey: '998ccfc9-77c6-4837-8f10-b83279b065a9',
    },
  ]);
  api.setNow('2018-10-27T13:09:47.389Z');
  const { nodes: later } = await list(live, 'K109025530', 'arpc3ydo0qbxbufuncdh');
  expect(later).toEqual([nodes[0], { ...nodes[1], isActive: false }]);

  api.setNow('2018-12-31T03:16:44.557087Z');
  const other = await newCustomer(api, live);
  await set('customers', other, { number: 'K123456789' });
  await keyFor(live, await newLicense(api, live, { customerId: other, productOfferingId }), exampleKey);
  expect(await askCurrent(live, exampleKey)).toEqual({
    productSku: 'arpc3ydo0qbxbufuncdh',
    issuedToIdentifier: 'K123456789',
    validFrom: '2018-12-31T03:16:44.557Z',
    validUntil: '9999-01-01T00:00:00.000Z',
    isPermanent: true,
    keyIdentifier: exampleKey,
    isActive: true,
  });
  expect(await askPublic(business, 'dd1952b9-2571-4595-9f5f-d503d36388d2')).toEqual({
    exists: false,
    key: 'dd1952b9-2571-4595-9f5f-d503d36388d2',
    isValid: false,
    productSku: null,
    latestPublicVersionName: null,
  });
  api.setNow(null);
});
const exampleKey = '5fc55949-8f7a-4a22-97c3-8d15f9780284';

test('a key that is there tells its product and its newest public version, and whose it is to nobody', async () => {
  const business = await newBusiness(api);
  const { sku, productId } = await newKeyedLicense(business, 'plain-key-1');
  const known = { exists: true, key: 'plain-key-1', isValid: true, productSku: sku, latestPublicVersionName: null };
  expect(await askPublic(business, 'plain-key-1')).toEqual(known);
  await newProductVersion(api, business.live, { productId, name: '1.0', published: true });
  await newProductVersion(api, business.live, { productId, name: '2.0-beta' });
  expect(await askPublic(business, 'plain-key-1')).toEqual({ ...known, latestPublicVersionName: '1.0' });
  // Echoed as given, in whatever spelling.
  expect((await askPublic(business, ' PLAIN KEY 1')).key).toBe(' PLAIN KEY 1');
  const session = await newSession(api, business.live, await newCustomer(api, business.live));
  const asSession = await api.data({ token: session, query: publicQuery, variables: { key: 'plain-key-1' } });
  expect(asSession.publicLicenseKey.exists).toBe(true);
  expect(await api.countStatements(() => askPublic(business, 'plain-key-1'))).toBeLessThanOrEqual(2);
});

test('keys of nobody here are unknown: the other mode’s, another brand’s, another vendor’s, pooled and blank ones', async () => {
  const [business, other] = [await newBusiness(api), await newBusiness(api)];
  const { live } = business;
  await newKeyedLicense(business, 'mine-only-1');
  await newLicenseKeyPool(api, live, ['pooled-key-1']);
  const brandUrl = `second-${rowId(business.id)}.example.com`;
  await mutate(live, 'createBrand', { name: 'Second', url: brandUrl });
  const unknown = { exists: false, isValid: false, productSku: null, latestPublicVersionName: null };
  const cases = [
    [business, 'mine-only-1', true],
    [{ brandUrl }, 'mine-only-1', false],
    [other, 'mine-only-1', undefined],
    [business, 'pooled-key-1', undefined],
    [business, ' - ', undefined],
    [business, '', undefined],
    [business, 'x'.repeat(600), undefined],
  ] as const;
  for (const [of, key, testMode] of cases) expect(await askPublic(of, key, testMode)).toEqual({ ...unknown, key });
  for (const [token, headers] of [
    [business.test, {}],
    [live, { 'brand-url': brandUrl }],
    [other.live, {}],
  ] as const) {
    expect(await askCurrent(token, 'mine-only-1', headers)).toBeNull();
  }
  for (const key of ['pooled-key-1', ' - ', 'never-heard-of', 'x'.repeat(600)]) {
    expect(await askCurrent(live, key)).toBeNull();
  }
  expect((await askCurrent(live, 'mine only 1')).keyIdentifier).toBe('mine only 1');
  const wrong = await api.call({ token: live, query: publicQuery, variables: { key: 'k', testMode: true } });
  expect(wrong.errors?.[0]?.extensions.code).toBe('BAD_USER_INPUT');
});

test('a license is what it has become, whether or not that is written: stopped, cancelled, not begun, over', async () => {
  const business = await newBusiness(api);
  const { live } = business;
  const start = Date.now();
  const at = (hours: number) => new Date(start + hours * 3_600_000).toISOString();
  const outcome = async (key: string) => {
    const [current, known] = [await askCurrent(live, key), await askPublic(business, key)];
    return [current && [current.isPermanent, current.validUntil, current.isActive], known.exists, known.isValid];
  };
  const paused = await newKeyedLicense(business, 'paused-1');
  await changeLicense(api, live, 'pause', paused.licenseId, { at: at(2) });
  const ended = await newKeyedLicense(business, 'ended-1');
  await changeLicense(api, live, 'cancel', ended.licenseId, { at: at(2) });
  const cancelled = await newKeyedLicense(business, 'cancelled-1');
  await changeLicense(api, live, 'cancel', cancelled.licenseId);
  const over = await newKeyedLicense(business, 'over-1');
  await set('licenses', over.licenseId, { valid_until: at(2) });
  const coming = await newKeyedLicense(business, 'coming-1');
  await set('licenses', coming.licenseId, { status: 'PENDING', valid_from: at(2), activated_at: null });
  const disabled = await newKeyedLicense(business, 'disabled-1');
  await mutate(live, 'disableLicenseKey', { licenseKeyId: disabled.licenseKeyId });
  await newBareKey(api, live, 'bare-1');

  api.setNow(at(1));
  expect(await outcome('paused-1')).toEqual([[true, PERMANENT, true], true, true]);
  expect(await outcome('ended-1')).toEqual([[true, PERMANENT, true], true, true]);
  expect(await outcome('cancelled-1')).toEqual([null, true, false]);
  expect(await outcome('over-1')).toEqual([[false, at(2), true], true, true]);
  expect(await outcome('coming-1')).toEqual([null, true, false]);
  expect(await outcome('disabled-1')).toEqual([[true, PERMANENT, true], true, false]);
  expect(await outcome('bare-1')).toEqual([null, true, false]);
  api.setNow(at(2));
  // A permanent license that is not active.
  expect(await outcome('paused-1')).toEqual([[true, PERMANENT, false], true, false]);
  expect(await outcome('ended-1')).toEqual([null, true, false]);
  expect(await outcome('over-1')).toEqual([null, true, false]);
  expect(await outcome('coming-1')).toEqual([[true, PERMANENT, true], true, true]);
  // All of them stay on the customer's list.
  const rows = [];
  for (const { customerNumber, sku } of [paused, ended, cancelled, over, coming]) {
    const { nodes, totalCount } = await list(live, customerNumber, sku);
    rows.push([totalCount, nodes[0].until, nodes[0].isActive]);
  }
  expect(rows).toEqual([
    [1, PERMANENT, false],
    [1, PERMANENT, false],
    [1, PERMANENT, false],
    [1, at(2), false],
    [1, PERMANENT, true],
  ]);
  const stored = await api.db.sql<{ status: string }>(null, 'SELECT status FROM licenses WHERE id = ANY($1::uuid[])', [
    [paused, ended, coming].map(({ licenseId }) => rowId(licenseId)),
  ]);
  expect(stored.map(({ status }) => status).sort()).toEqual(['ACTIVE', 'ACTIVE', 'PENDING']);
  api.setNow(null);
});

test('windows follow each other on one key; a rotated text leads to it until its grace ends', async () => {
  const business = await newBusiness(api);
  const { live } = business;
  const start = Date.now();
  const at = (hours: number) => new Date(start + hours * 3_600_000).toISOString();
  const { licenseId, licenseKeyId, customerNumber, sku } = await newKeyedLicense(business, 'window-key-1');
  await set('licenses', licenseId, { valid_until: at(2) });
  const renewed = await mutate(live, 'renewLicense', { licenseId, until: at(4) }, 'license { id number }');
  await mutate(live, 'rotateLicenseKey', { licenseKeyId, key: 'window-key-2', graceUntil: at(3) });
  const { nodes } = await list(live, customerNumber, sku);
  expect(nodes.map((row: any) => [row.from, row.until, row.isActive, row.licenseKey])).toEqual([
    [expect.any(String), at(2), true, 'window-key-2'],
    [at(2), at(4), false, 'window-key-2'],
  ]);
  expect(nodes[1].licenseIdentifier).toBe(renewed.license.number);
  for (const key of ['window-key-1', 'window-key-2']) {
    api.setNow(at(1));
    expect(await askCurrent(live, key)).toMatchObject({ keyIdentifier: key, validUntil: at(2), isActive: true });
    expect(await askPublic(business, key)).toMatchObject({ exists: true, isValid: true, key });
    api.setNow(at(2));
    expect(await askCurrent(live, key)).toMatchObject({ validFrom: at(2), validUntil: at(4), isActive: true });
  }
  api.setNow(at(3));
  expect([await askCurrent(live, 'window-key-1'), (await askCurrent(live, 'window-key-2')).isActive]).toEqual([
    null,
    true,
  ]);
  expect(await askPublic(business, 'window-key-1')).toMatchObject({ exists: true, isValid: false });
  api.setNow(at(4));
  expect(await askCurrent(live, 'window-key-2')).toBeNull();
  expect((await list(live, customerNumber, sku)).nodes.map(({ isActive }: any) => isActive)).toEqual([false, false]);
  api.setNow(null);
});

test('a license is for its package’s products, and for another product from the instant that it changes to that', async () => {
  const business = await newBusiness(api);
  const { live } = business;
  const customerId = await newCustomer(api, live);
  const number = await numberOf(live, customerId);
  const [main, extra] = [await newProduct(api, live, { sku: 'main' }), await newProduct(api, live, { sku: 'extra' })];
  const extraOffering = await newProductOffering(api, live, { productId: extra });
  const { order } = await newBoughtLicense(live, customerId, main, 'package-key', {
    productOfferingIds: [extraOffering],
  });
  expect((await askCurrent(live, 'package-key')).productSku).toBe('main');
  expect((await askPublic(business, 'package-key')).productSku).toBe('main');
  for (const sku of ['main', 'extra']) {
    const { nodes } = await list(live, number, sku);
    expect([sku, nodes.map((row: any) => [row.orderIdentifier, row.licenseKey])]).toEqual([
      sku,
      [[order.number, 'package-key']],
    ]);
  }
  const moving = await newKeyedLicense(business, 'moving-1', { customerId, sku: 'before' });
  await set('licenses', moving.licenseId, {
    pending_offering_id: rowId(
      await newProductOffering(api, live, { productId: await newProduct(api, live, { sku: 'after' }) }),
    ),
    pending_offering_at: new Date(Date.now() + 3_600_000),
  });
  const seen = async () => [
    (await askCurrent(live, 'moving-1')).productSku,
    (await askPublic(business, 'moving-1')).productSku,
    (await list(live, number, 'before')).totalCount,
    (await list(live, number, 'after')).totalCount,
  ];
  expect(await seen()).toEqual(['before', 'before', 1, 0]);
  api.setNow(new Date(Date.now() + 3_600_000));
  expect(await seen()).toEqual(['after', 'after', 0, 1]);
  api.setNow(null);
});

test('an unknown or another vendor’s product is not found, an unknown customer has nothing, and each mode and brand its own', async () => {
  const [business, other] = [await newBusiness(api), await newBusiness(api)];
  const { live } = business;
  const { customerNumber, sku } = await newKeyedLicense(business, 'listed-1');
  const theirs = await newKeyedLicense(other, 'listed-2');
  const brandUrl = `third-${rowId(business.id)}.example.com`;
  await mutate(live, 'createBrand', { name: 'Third', url: brandUrl });
  expect((await list(live, customerNumber, sku)).totalCount).toBe(1);
  expect((await list(live, ` ${customerNumber} `, sku)).totalCount).toBe(1);
  const empty = { totalCount: 0, pageInfo: { hasNextPage: false, endCursor: null }, edges: [], nodes: [] };
  for (const unknown of [theirs.sku, 'no-such-sku', '', sku.toUpperCase()]) {
    expect(await list(live, customerNumber, unknown)).toBeNull();
    expect(await list(live, 'K000000000', unknown)).toBeNull();
  }
  for (const unknown of [theirs.customerNumber, 'K000000000', '', rowId(business.id)]) {
    expect(await list(live, unknown, sku)).toEqual(empty);
  }
  expect(await list(business.test, customerNumber, sku)).toEqual(empty);
  expect(await list(live, customerNumber, sku, {}, { 'brand-url': brandUrl })).toEqual(empty);
});

test('keys are masked without LICENSE_KEYS_REVEAL, and each that is shown is recorded; orders need their own scope', async () => {
  const business = await newBusiness(api);
  const { live } = business;
  const { customerNumber, sku, licenseKeyId, licenseId } = await newKeyedLicense(business, 'secret-key-0001');
  const reader = await newApiKey(api, live, ['LICENSES_READ', 'LICENSE_KEYS_READ']);
  const narrow = await listing(reader, customerNumber, sku);
  expect(narrow.data.productLicenses.nodes).toMatchObject([{ licenseKey: '********0001', orderIdentifier: null }]);
  expect(narrow.errors?.map(({ path, extensions }) => [path?.at(-1), extensions.code])).toEqual([
    ['orderIdentifier', 'FORBIDDEN'],
  ]);
  const reveals = async () =>
    (await changesOf(api, licenseKeyId)).filter(({ type }) => type === 'license_key.revealed').length;
  expect(await reveals()).toBe(0);
  expect((await list(live, customerNumber, sku)).nodes[0].licenseKey).toBe('secret-key-0001');
  expect(await reveals()).toBe(1);
  await api.data({
    token: live,
    query:
      'query ($n: String!, $s: String!) { productLicenses(customerNumber: $n, productSku: $s) { nodes { from } } }',
    variables: { n: customerNumber, s: sku },
  });
  expect(await reveals()).toBe(1);
  // Of several keys the newest that works; without any, none.
  const second = await keyFor(live, licenseId, 'secret-key-0002');
  expect((await list(live, customerNumber, sku)).nodes[0].licenseKey).toBe('secret-key-0002');
  await mutate(live, 'disableLicenseKey', { licenseKeyId: second });
  expect((await list(live, customerNumber, sku)).nodes[0].licenseKey).toBe('secret-key-0001');
  const bare = await newLicense(api, live);
  const { license } = await api.data({
    token: live,
    query: 'query ($id: ID!) { license(id: $id) { customer { number } productOffering { product { sku } } } }',
    variables: { id: bare },
  });
  const { nodes } = await list(live, license.customer.number, license.productOffering.product.sku);
  expect([nodes[0].licenseKey, nodes[0].orderIdentifier]).toEqual([null, null]);
  for (const scopes of [['LICENSES_READ'], ['LICENSE_KEYS_READ', 'CUSTOMERS_READ']]) {
    const token = await newApiKey(api, live, scopes);
    expect((await listing(token, customerNumber, sku)).errors?.[0]?.extensions.code).toBe('FORBIDDEN');
    const current = await api.call({ token, query: currentQuery, variables: { key: 'secret-key-0001' } });
    expect([current.data.currentLicense, current.errors?.[0]?.extensions.code]).toEqual([null, 'FORBIDDEN']);
  }
});

test('pages have no gaps, their cursors fit their own list only, and 50 rows cost as many statements as 5', async () => {
  const business = await newBusiness(api);
  const { live } = business;
  const customerId = await newCustomer(api, live);
  const number = await numberOf(live, customerId);
  const productId = await newProduct(api, live, { sku: 'many' });
  await newProduct(api, live, { sku: 'none' });
  const packageId = await newPackage(api, live, { primaryProductId: productId });
  const subscriptionTypeId = await newSubscriptionType(api, live);
  await newPackagePrice(api, live, { packageId, subscriptionTypeId });
  const walletId = await newWallet(api, live, { customerId });
  await creditWallet(api, live, walletId, '1000');
  const input = purchaseInput({ walletId, packageId, subscriptionTypeId, customerId }, { quantity: 52 });
  await mutate(live, 'purchaseLicensesByWallet', input);
  const all = (await list(live, number, 'many', { first: 100 })).nodes;
  expect([all.length, new Set(all.map(({ licenseKey }: any) => licenseKey)).size]).toEqual([52, 52]);
  const paged: unknown[] = [];
  for (let after: string | null = null; ;) {
    const page: any = await list(live, number, 'many', { first: 20, after });
    expect(page.totalCount).toBe(52);
    paged.push(...page.nodes);
    if (!page.pageInfo.hasNextPage) break;
    after = page.pageInfo.endCursor;
  }
  expect(paged).toEqual(all);
  expect((await list(live, number, 'many', { last: 2 })).nodes).toEqual(all.slice(-2));
  const { endCursor } = (await list(live, number, 'many', { first: 1 })).pageInfo;
  const otherNumber = await numberOf(live, await newCustomer(api, live));
  for (const [customer, sku] of [
    [number, 'none'],
    [otherNumber, 'many'],
  ] as const) {
    const refused = await listing(live, customer, sku, { after: endCursor });
    expect(refused.errors?.[0]?.extensions.code).toBe('BAD_USER_INPUT');
  }
  const cost = (first: number) => api.countStatements(() => list(live, number, 'many', { first }));
  const [few, many] = [await cost(5), await cost(50)];
  expect([few, many]).toEqual([6, 6]);
});
