import { afterEach, beforeAll, expect, test } from '@jest/globals';
import { buy, newShop, now, type Shop } from '../purchases/shop.js';
import { useApi } from '../support/api.js';
import { newCustomer } from '../support/business.js';
import { newDiscount, newDiscountCodes } from '../support/discounts.js';
import { holdRows } from '../support/holdRows.js';
import { expectInvariants } from '../support/invariants.js';
import { balanceOf, creditWallet, newWallet } from '../support/wallets.js';
import { discountRows, done } from './discountCalls.js';

const api = useApi();

beforeAll(() => api.setNow(now));
afterEach(() => expectInvariants(api.db));

/** How often each outcome came: what a code was refused for, a refusal's code, an error's code, or what was paid. */
async function outcomes(shop: Shop, inputs: object[]): Promise<Record<string, number>> {
  const query = `mutation ($input: PurchaseLicensesByWalletInput!) { purchaseLicensesByWallet(input: $input) {
    order { total { amount } } userErrors { code ... on DiscountNotApplicable { reason } } } }`;
  const call = (input: object) =>
    api.call({ token: shop.token, query, variables: { input: { ...shop.input, ...input } } });
  const counts: Record<string, number> = {};
  for (const { errors, data } of await Promise.all(inputs.map(call))) {
    const { order, userErrors } = data?.purchaseLicensesByWallet ?? {};
    const outcome = errors?.[0]?.extensions.code ?? userErrors[0]?.reason ?? userErrors[0]?.code ?? order.total.amount;
    counts[outcome as string] = (counts[outcome as string] ?? 0) + 1;
  }
  return counts;
}

const times = (count: number, input: object) => Array.from({ length: count }, () => input);

/** Further customers, each with a wallet of 50.00 USD: what a purchase of theirs has in its input. */
async function buyers(shop: Shop, count: number): Promise<{ walletId: string; customerCode: string }[]> {
  const { live } = shop.business;
  return Promise.all(
    Array.from({ length: count }, async (_, i) => {
      const customerCode = `BUYER-${i}`;
      const walletId = await newWallet(api, live, { customerId: await newCustomer(api, live, { code: customerCode }) });
      await creditWallet(api, live, walletId, '50');
      return { walletId, customerCode };
    }),
  );
}

test('of 100 purchases at once with a discount for 10, from one wallet and from many, exactly 10 have it', async () => {
  const shop = await newShop(api, { funds: '2000' });
  const { live } = shop.business;
  for (const from of [[{}], await buyers(shop, 20)]) {
    const { id, code } = await newDiscount(api, live, { usageLimit: 10 });
    const inputs = Array.from({ length: 100 }, (_, i) => ({ ...from[i % from.length], discountCode: code }));
    expect(await outcomes(shop, inputs)).toEqual({ '9.00': 10, USED_UP: 90 });
    const { discount } = await api.data({
      token: live,
      query: `{ discount(id: "${id}") { usedCount redemptions { totalCount } } }`,
    });
    expect(discount).toEqual({ usedCount: 10, redemptions: { totalCount: 10 } });
  }
  expect(await balanceOf(api, live, shop.walletId)).toBe(191_000n);
});

test('of 100 purchases at once by 5 customers with a discount for 2 each, exactly 2 of each have it', async () => {
  const shop = await newShop(api);
  const five = await buyers(shop, 5);
  const { code } = await newDiscount(api, shop.business.live, { usageLimitPerCustomer: 2 });
  const inputs = Array.from({ length: 100 }, (_, i) => ({ ...five[i % 5], discountCode: code }));
  expect(await outcomes(shop, inputs)).toEqual({ '9.00': 10, CUSTOMER_LIMIT_REACHED: 90 });
  for (const { walletId } of five) expect(await balanceOf(api, shop.token, walletId)).toBe(3_200n);
});

test('a code for one use is used once; the other codes of its discount are not touched', async () => {
  const shop = await newShop(api, { funds: '500' });
  const { id } = await newDiscount(api, shop.business.live, { usageLimit: 2 });
  const [first, second, third] = await newDiscountCodes(api, shop.business.live, id, 3);
  expect(await outcomes(shop, times(20, { discountCode: first }))).toEqual({ '9.00': 1, CODE_USED_UP: 19 });
  const rest = [...times(10, { discountCode: second }), ...times(10, { discountCode: third })];
  const { '9.00': bought, ...refused } = await outcomes(shop, rest);
  expect(bought).toBe(1);
  expect(Object.values(refused).reduce((sum, count) => sum + count, 0)).toBe(19);
});

test('purchases that stack the same discounts in either order, from many wallets, do not lock each other up', async () => {
  const shop = await newShop(api);
  const ten = await buyers(shop, 10);
  const limits = { isCombinable: true, usageLimit: 30, usageLimitPerCustomer: 30 };
  const [a, b] = [
    await newDiscount(api, shop.business.live, limits),
    await newDiscount(api, shop.business.live, limits),
  ];
  const inputs = Array.from({ length: 40 }, (_, i) => {
    return { ...ten[i % 10], discountCodes: i % 2 ? [a.code, b.code] : [b.code, a.code] };
  });
  expect(await outcomes(shop, inputs)).toEqual({ '8.10': 30, USED_UP: 10 });
});

test('a purchase that cannot be paid in the end, or is refused a code in the end, gives back every count', async () => {
  const shop = await newShop(api, { funds: '100' });
  const { live } = shop.business;
  const wide = await newDiscount(api, live, { isCombinable: true, usageLimit: 100 });
  const narrow = await newDiscount(api, live, { isCombinable: true, usageLimit: 3 });
  const both = { discountCodes: [wide.code, narrow.code] };
  expect(await outcomes(shop, times(12, both))).toEqual({ '8.10': 3, USED_UP: 9 });
  const { '9.00': paid, ...others } = await outcomes(shop, times(12, { discountCode: wide.code }));
  expect([paid, others]).toEqual([8, { INSUFFICIENT_FUNDS: 4 }]);
  const { discount } = await api.data({ token: live, query: `{ discount(id: "${wide.id}") { usedCount } }` });
  expect(discount.usedCount).toBe(11);
});

test('rows that are refused while the discount is being counted: the key is what is refused, and nothing is redeemed', async () => {
  const shop = await newShop(api, { funds: '500' });
  const { live } = shop.business;
  const [open, used] = [
    await newDiscount(api, live, { usageLimit: 5, usageLimitPerCustomer: 5 }),
    await newDiscount(api, live, { usageLimit: 1 }),
  ];
  await outcomes(shop, [{ code: 'OWN-KEY-1' }]);
  const before = await discountRows(api);
  const taken = { code: 'OWN-KEY-1', discountCode: open.code };
  expect(await outcomes(shop, times(20, taken))).toEqual({ LICENSE_KEY_TAKEN: 20 });
  expect(await discountRows(api)).toEqual(before);
  // Somebody else takes the last use after it was seen to be there: the key stays free.
  const held = await holdRows(api, 'UPDATE discounts SET used_count = 1 WHERE code = $1', [used.code]);
  const racing = outcomes(shop, times(3, { code: 'OWN-KEY-2', discountCode: used.code }));
  await held.waiters(3);
  await held.release();
  expect(await racing).toEqual({ USED_UP: 3 });
  await api.db.sql(null, 'UPDATE discounts SET used_count = 0 WHERE code = $1', [used.code]);
  expect(await discountRows(api)).toEqual(before);
  const last = { code: 'OWN-KEY-2', discountCode: used.code };
  expect((await outcomes(shop, times(3, last)))['9.00']).toBe(1);
  expect(await balanceOf(api, live, shop.walletId)).toBe(48_100n);
});

test('an update waits for the purchases that redeem, and the limit that it sets counts them all', async () => {
  const shop = await newShop(api, { funds: '500' });
  const { live } = shop.business;
  for (let round = 0; round < 4; round++) {
    const { id: discountId, code } = await newDiscount(api, live);
    const [counts, updated] = await Promise.all([
      outcomes(shop, times(10, { discountCode: code })),
      done(api, live, 'updateDiscount', {
        discountId,
        percentBasisPoints: 2000,
        usageLimit: 10,
        usageLimitPerCustomer: 10,
      }),
    ]);
    // Those before the update paid the old price, those after it the new one.
    const { '9.00': before = 0, '8.00': after = 0, ...others } = counts;
    expect([before + after, others]).toEqual([10, {}]);
    // The answer is read after the update's commit, when the next purchase may have redeemed already.
    expect(updated.discount.usedCount).toBeGreaterThanOrEqual(before);
    expect(updated.discount.usedCount).toBeLessThanOrEqual(10);
    expect(await outcomes(shop, [{ discountCode: code }])).toEqual({ USED_UP: 1 });
  }
});

test('what was read of a discount holds until the purchase is done: archiving comes after it', async () => {
  const shop = await newShop(api);
  const { live } = shop.business;
  const { id: discountId, code } = await newDiscount(api, live, { usageLimit: 1 });
  const held = await holdRows(api, 'UPDATE discounts SET used_count = 0 WHERE code = $1', [code]);
  const buying = buy(api, shop.token, { ...shop.input, discountCode: code });
  await held.waiters(1);
  const archiving = done(api, live, 'archiveDiscount', { discountId });
  await held.waiters(2);
  await held.release();
  expect((await buying).data.purchaseLicensesByWallet.order.total.amount).toBe('9.00');
  expect((await archiving).discount).toMatchObject({ status: 'ARCHIVED', usedCount: 1 });
});

test('a discount that is created for a customer who is being erased keeps no text about it', async () => {
  const { business } = await newShop(api);
  const { live } = business;
  for (let round = 0; round < 4; round++) {
    const customerId = await newCustomer(api, live);
    const create = `mutation ($input: CreateDiscountInput!) { createDiscount(input: $input) { discount { id } userErrors { code } } }`;
    const input = { percentBasisPoints: 1, description: 'Zyxwina turns 40', eligibleCustomerIds: [customerId] };
    const erase = `mutation { eraseCustomer(input: { customerId: "${customerId}" }) { userErrors { code } } }`;
    const [erased, ...made] = await Promise.all([
      api.data({ token: live, query: erase }),
      ...Array.from({ length: 3 }, () => api.call({ token: live, query: create, variables: { input } })),
    ]);
    expect(erased.eraseCustomer.userErrors).toEqual([]);
    const refusals = made.flatMap(({ data }) => data.createDiscount.userErrors);
    expect(refusals).toEqual(refusals.map(() => ({ code: 'CUSTOMER_ERASED' })));
  }
  const tables = ['discounts', 'changes'].map((table) => `SELECT to_jsonb(t)::text AS row FROM ${table} t`);
  const left = `SELECT row FROM (${tables.join(' UNION ALL ')}) r WHERE row LIKE '%Zyxwina%'`;
  expect(await api.db.sql(null, left, [])).toEqual([]);
});
