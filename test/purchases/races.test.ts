import { afterEach, beforeAll, expect, test } from '@jest/globals';
import { useApi } from '../support/api.js';
import { expectInvariants } from '../support/invariants.js';
import { balanceOf, creditWallet, newWallet } from '../support/wallets.js';
import { buy, newShop, now } from './shop.js';

const api = useApi();

beforeAll(() => api.setNow(now));
afterEach(() => expectInvariants(api.db));

/** How often each outcome came: a refusal's code, an error's code, or `bought`. */
function outcomes(answers: Awaited<ReturnType<typeof buy>>[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { errors, data } of answers) {
    const payload = data?.purchaseLicensesByWallet;
    const outcome = errors?.[0]?.extensions.code ?? payload.userErrors[0]?.code ?? 'bought';
    counts[outcome as string] = (counts[outcome as string] ?? 0) + 1;
  }
  return counts;
}

const licensesOf = async (token: string) => {
  const { licenses } = await api.data({ token, query: '{ licenses { totalCount } }' });
  return licenses.totalCount as number;
};

test('of 50 purchases at once from a wallet that funds 10, exactly 10 come through', async () => {
  const shop = await newShop(api, { funds: '100', price: '10' });
  const answers = await Promise.all(Array.from({ length: 50 }, () => buy(api, shop.token, shop.input)));
  expect(outcomes(answers)).toEqual({ bought: 10, INSUFFICIENT_FUNDS: 40 });
  expect(await licensesOf(shop.token)).toBe(10);
  expect(await balanceOf(api, shop.token, shop.walletId)).toBe(0n);
  const left = answers
    .flatMap(({ data }) => data.purchaseLicensesByWallet.wallet ?? [])
    .map((wallet: { balance: { amount: string } }) => Number(wallet.balance.amount));
  expect(left).toHaveLength(10);
});

test('purchases of several sizes at once never overdraw and leave less than the smallest refused one', async () => {
  const shop = await newShop(api, { funds: '100', price: '1' });
  const sizes = Array.from({ length: 30 }, (_, i) => (i % 10) + 1);
  const answers = await Promise.all(sizes.map((quantity) => buy(api, shop.token, { ...shop.input, quantity })));
  const paid = sizes.filter((_, i) => answers[i]?.data.purchaseLicensesByWallet.success).reduce((a, b) => a + b, 0);
  expect(await licensesOf(shop.token)).toBe(paid);
  const left = 100 - paid;
  expect(await balanceOf(api, shop.token, shop.walletId)).toBe(BigInt(left) * 100n);
  const refused = sizes.filter((_, i) => !answers[i]?.data.purchaseLicensesByWallet.success);
  expect(left).toBeLessThan(Math.min(...refused));
});

test('ten purchases with one key of the buyer’s own: one gets it, one debit', async () => {
  const shop = await newShop(api, { funds: '100', price: '10' });
  const input = { ...shop.input, code: 'ONE-AND-ONLY' };
  const answers = await Promise.all(Array.from({ length: 10 }, () => buy(api, shop.token, input)));
  expect(outcomes(answers)).toEqual({ bought: 1, LICENSE_KEY_TAKEN: 9 });
  expect(await balanceOf(api, shop.token, shop.walletId)).toBe(9_000n);
});

test('purchases, credits, new wallets and changes of the customer at once neither lock each other up nor lose money', async () => {
  const shop = await newShop(api, { funds: '100', price: '10' });
  const { live } = shop.business;
  const { customerId, walletId } = shop;
  const rename = (firstName: string) =>
    api.data({
      token: live,
      query: `mutation ($input: UpdateCustomerInput!) { updateCustomer(input: $input) { userErrors { message } } }`,
      variables: { input: { customerId, firstName } },
    });
  const [answers] = await Promise.all([
    Promise.all(Array.from({ length: 20 }, () => buy(api, shop.token, shop.input))),
    Promise.all(Array.from({ length: 10 }, () => creditWallet(api, live, walletId, '10'))),
    Promise.all(Array.from({ length: 5 }, () => newWallet(api, live, { customerId, isDefault: true }))),
    Promise.all(Array.from({ length: 5 }, (_, i) => rename(`Erika ${i}`))),
  ]);
  const { bought = 0, INSUFFICIENT_FUNDS = 0, ...others } = outcomes(answers);
  expect(others).toEqual({});
  expect(bought + INSUFFICIENT_FUNDS).toBe(20);
  expect(bought).toBeGreaterThanOrEqual(10);
  expect(await balanceOf(api, live, walletId)).toBe(BigInt(200 - bought * 10) * 100n);
});
