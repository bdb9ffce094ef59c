import { afterEach, beforeAll, expect, test } from '@jest/globals';
import { useApi } from '../support/api.js';
import { newCustomer, newSession } from '../support/business.js';
import { expectInvariants } from '../support/invariants.js';
import { balanceOf, creditWallet, newWallet } from '../support/wallets.js';
import { buy, newShop, now, refusals } from './shop.js';

const api = useApi();

beforeAll(() => api.setNow(now));
afterEach(() => expectInvariants(api.db));

test('a session buys from its own wallet, for its own customer where none is named', async () => {
  const shop = await newShop(api);
  const session = await newSession(api, shop.business.live, shop.customerId);
  const { purchaseLicensesByWallet: bought } = (
    await buy(api, session, { ...shop.input, customerCode: null, quantity: 2 })
  ).data;
  expect([bought.licenses.length, bought.wallet.balance, bought.success]).toEqual([2, { amount: '80.00' }, true]);
  const query = '{ licenses { nodes { id } } orders { nodes { id total { amount } licenses { totalCount } } } }';
  const seen = await api.data({ token: session, query });
  expect(seen.orders.nodes).toEqual([{ id: bought.order.id, total: { amount: '20.00' }, licenses: { totalCount: 2 } }]);
  expect(seen.licenses.nodes).toHaveLength(2);
});

test('a gift goes to the named customer, whose licenses and data the buyer does not see', async () => {
  const shop = await newShop(api);
  const { live } = shop.business;
  const friend = await newCustomer(api, live, { code: 'FRIEND', email: 'friend@example.com' });
  const session = await newSession(api, live, shop.customerId);
  const { purchaseLicensesByWallet: bought } = (await buy(api, session, { ...shop.input, customerCode: 'FRIEND' }))
    .data;
  expect(bought).toEqual({
    order: {
      id: expect.stringMatching(/^ord_/),
      number: expect.stringMatching(/^B\d{9}$/),
      status: 'COMPLETED',
      total: { amount: '10.00' },
      lines: [{ quantity: 1 }],
    },
    licenses: [],
    wallet: { id: shop.walletId, balance: { amount: '90.00' } },
    ledgerEntries: [{ id: expect.stringMatching(/^lent_/), isCredit: false, amount: { amount: '10.00' } }],
    success: true,
    data: true,
    statusCode: 200,
    message: 'Licenses bought: 1.',
    userErrors: [],
  });
  const order = await api.data({
    token: session,
    query: `query ($id: ID!) { order(id: $id) { customer { id } licenses { nodes { id } totalCount } } }`,
    variables: { id: bought.order.id },
  });
  expect(order.order).toEqual({ customer: { id: shop.customerId }, licenses: { nodes: [], totalCount: 0 } });
  const theirs = await newSession(api, live, friend);
  const query =
    '{ licenses { nodes { customer { id } order { id } amount { amount } } } orders { nodes { id } } wallets { nodes { id } } }';
  expect(await api.data({ token: theirs, query })).toEqual({
    licenses: { nodes: [{ customer: { id: friend }, order: null, amount: { amount: '10.00' } }] },
    orders: { nodes: [] },
    wallets: { nodes: [] },
  });
});

test('a session cannot use another wallet, another price or a longer time, nor reach another business', async () => {
  const [shop, other] = [await newShop(api), await newShop(api)];
  const { live } = shop.business;
  const thief = await newCustomer(api, live, { code: 'THIEF' });
  const session = await newSession(api, live, thief);
  const refusedFor = async (input: object) =>
    refusals(await buy(api, session, { ...shop.input, customerCode: null, ...input }));
  expect(await refusedFor({})).toEqual(['WALLET_NOT_FOUND input.walletId']);
  expect(await refusedFor({ customerCode: 'BUYER' })).toEqual(['WALLET_NOT_FOUND input.walletId']);
  expect(await refusedFor({ walletId: other.walletId })).toEqual(['WALLET_NOT_FOUND input.walletId']);
  const inTest = await newWallet(api, shop.business.test);
  expect(await refusedFor({ walletId: inTest })).toEqual(['WALLET_NOT_FOUND input.walletId']);
  const walletId = await newWallet(api, live, { customerId: thief });
  await creditWallet(api, live, walletId, '50');
  expect(await refusedFor({ walletId, amount: '0' })).toEqual(['PRICE_MISMATCH input.amount']);
  expect(await refusedFor({ walletId, endDate: '2027-12-31' })).toEqual(['INVALID_DATE_RANGE input.endDate']);
  expect(await refusedFor({ walletId, testMode: true })).toEqual(['MODE_MISMATCH input.testMode']);
  expect(await refusedFor({ walletId, customerId: other.customerId })).toEqual(['CUSTOMER_NOT_FOUND input.customerId']);
  expect(await balanceOf(api, shop.token, shop.walletId)).toBe(10_000n);
  expect(await balanceOf(api, live, walletId)).toBe(5_000n);
});
