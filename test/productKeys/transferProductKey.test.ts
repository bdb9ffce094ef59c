import { expect, test } from '@jest/globals';
import { person, tracesInDatabase } from '../erasure/traces.js';
import { useApi } from '../support/api.js';
import { newBusiness, newCustomer, newSession } from '../support/business.js';
import { changesOf, rowId } from '../support/licenses.js';
import { callProductKey, newBrandUrl, newProductKey } from '../support/productKeys.js';

const api = useApi();
const NOW = '2026-03-01T12:00:00.000Z';
const codes = (payload: any) => payload.userErrors.map(({ code, path }: any) => `${code} ${path.slice(1).join('.')}`);
const transfer = (token: string, productKeyId: string, owner: string, more = {}, headers = {}) =>
  callProductKey(
    api,
    token,
    'transferProductKey',
    { productKeyId, owner, ...more },
    'productKey { owner { id } }',
    headers,
  );
const erase = (token: string, customerId: string) =>
  api.data({
    token,
    query: 'mutation ($input: EraseCustomerInput!) { eraseCustomer(input: $input) { userErrors { code } } }',
    variables: { input: { customerId } },
  });

test('a key goes to another customer with what was paid for it, and who had it does not see it any more', async () => {
  api.setNow(NOW);
  const { live } = await newBusiness(api);
  const [former, owner] = [await newCustomer(api, live), await newCustomer(api, live, { email: 'new@example.com' })];
  const id = await newProductKey(api, live, { owner: former, allowMidPeriodCancellation: true });
  const paid = { externalPaymentId: 'p', result: 'SUCCEEDED', amount: '30', currencyCode: 'USD' };
  const period = { periodStart: NOW, periodEnd: '2026-03-31T12:00:00Z' };
  await callProductKey(api, live, 'recordPaymentResult', { productKeyId: id, ...paid, ...period });
  const sessions = [await newSession(api, live, former), await newSession(api, live, owner)] as const;
  const seen = async () => {
    const query = 'query ($id: ID!) { productKey(id: $id) { key } productKeys { totalCount } node(id: $id) { id } }';
    const all = await Promise.all(sessions.map((token) => api.data({ token, query, variables: { id } })));
    return all.map(({ productKey, productKeys, node }) => [productKey !== null, productKeys.totalCount, node !== null]);
  };
  expect(await seen()).toEqual([
    [true, 1, true],
    [false, 0, false],
  ]);
  const moved = await transfer(live, id, owner, { reason: ' Sold ', idempotencyKey: 't' });
  expect(moved).toEqual({
    productKey: expect.objectContaining({ id, status: 'ACTIVE', owner: { id: owner }, updatedAt: NOW }),
    userErrors: [],
  });
  expect(await seen()).toEqual([
    [false, 0, false],
    [true, 1, true],
  ]);
  const change = (await changesOf(api, id)).find(({ type }) => type === 'product_key.transferred');
  expect([change?.reason, Object.keys(change?.after ?? {})]).toEqual(['Sold', ['customerId']]);
  const { version } = (await transfer(live, id, owner)).productKey;
  expect((await transfer(live, id, owner, { reason: ' Sold ', idempotencyKey: 't' })).productKey.version).toBe(version);
  const cancel = { productKeyId: id, at: 'NOW' };
  const entries = 'ledgerEntries { wallet { customer { id } } amount { amount } }';
  expect((await callProductKey(api, live, 'cancelProductKey', cancel, entries)).ledgerEntries).toEqual([
    { wallet: { customer: { id: owner } }, amount: { amount: '30.00' } },
  ]);
  api.setNow(null);
});

test('who cannot have it is refused: unknown, foreign, of the other mode or brand, erased; nothing changes, one of many wins', async () => {
  const [mine, theirs] = [await newBusiness(api), await newBusiness(api)];
  const former = await newCustomer(api, mine.live);
  const id = await newProductKey(api, mine.live, { owner: former });
  const erased = await newCustomer(api, mine.live);
  await erase(mine.live, erased);
  const url = await newBrandUrl(api, mine.live);
  const { createCustomer } = await api.data({
    token: mine.live,
    query: 'mutation { createCustomer(input: {}) { customer { id } userErrors { message } } }',
    headers: { 'brand-url': url },
  });
  const other = createCustomer.customer.id;
  for (const [owner, refused] of [
    ['cus_x', 'CUSTOMER_NOT_FOUND owner'],
    [await newCustomer(api, theirs.live), 'CUSTOMER_NOT_FOUND owner'],
    [await newCustomer(api, mine.test), 'MODE_MISMATCH owner'],
    [erased, 'CUSTOMER_ERASED owner'],
    [other, 'BRAND_MISMATCH owner'],
  ] as const)
    expect(codes(await transfer(mine.live, id, owner))).toEqual([refused]);
  expect(codes(await transfer(mine.live, id, other, {}, { 'brand-url': url }))).toEqual([
    'BRAND_MISMATCH productKeyId',
  ]);
  const owners = await Promise.all(Array.from({ length: 6 }, () => newCustomer(api, mine.live)));
  expect(codes(await transfer(mine.live, id, owners[0]!, { expectedVersion: 9 }))).toEqual([
    'STALE_OBJECT expectedVersion',
  ]);
  expect(codes(await transfer(mine.live, id, owners[0]!, { reason: 'x'.repeat(2001) }))).toEqual([
    'INVALID_INPUT reason',
  ]);
  expect(await changesOf(api, id)).toHaveLength(1);
  const raced = await Promise.all(owners.map((owner) => transfer(mine.live, id, owner, { expectedVersion: 1 })));
  expect(raced.flatMap(codes)).toEqual(Array(5).fill('STALE_OBJECT expectedVersion'));
});

test('what the history said of a former owner is erased with that person, and a transfer never comes back to an erased one', async () => {
  const { live } = await newBusiness(api);
  const [former, owner] = [await newCustomer(api, live, person), await newCustomer(api, live)];
  const id = await newProductKey(api, live, { owner: former, description: 'for Zyxwina', tags: ['zyxnote'] });
  await callProductKey(api, live, 'disableProductKey', { productKeyId: id, reason: 'Zyxwina left' });
  await callProductKey(api, live, 'enableProductKey', { productKeyId: id });
  await transfer(live, id, owner, { reason: 'Zyxwina sold it' });
  const update = { productKeyId: id, description: 'Plan B', tags: null };
  expect(codes(await callProductKey(api, live, 'updateProductKey', update))).toEqual([]);
  await erase(live, former);
  expect((await tracesInDatabase(api)).filter((place) => !place.startsWith('changes.'))).toEqual([]);
  const rows = await api.db.sql<{ type: string; erased: boolean }>(
    null,
    'SELECT type, erased_at IS NOT NULL AS erased FROM changes WHERE object_id = $1 ORDER BY sequence',
    [rowId(id)],
  );
  expect(rows.map(({ type, erased }) => [type.replace('product_key.', ''), erased])).toEqual([
    ...['created', 'disabled', 'enabled', 'transferred'].map((type) => [type, true]),
    ['updated', false],
  ]);
  // An erasure and a transfer to that person at once: the key is whole with one of them, or blank with the erased one.
  const [first, second] = [
    await newCustomer(api, live, { ...person, email: 'zyx-0815@b.example', code: null, externalId: null }),
    owner,
  ];
  const [raced] = await Promise.all([transfer(live, id, first, { reason: 'zyxnote' }), erase(live, first)]);
  expect([[], ['CUSTOMER_ERASED owner']]).toContainEqual(codes(raced));
  expect(codes(await transfer(live, id, second))).toEqual([]);
});
