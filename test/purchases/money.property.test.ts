import { beforeAll, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { useApi } from '../support/api.js';
import { expectInvariants } from '../support/invariants.js';
import { balanceOf, creditWallet, newWallet } from '../support/wallets.js';
import { buy, newShop, now, type Shop } from './shop.js';

const api = useApi();
const runs = process.env.DEEP ? 400 : 60;
const PRICE = 333n;

let shop: Shop;
beforeAll(async () => {
  api.setNow(now);
  shop = await newShop(api, { price: '3.33', funds: '0' });
});

type Step = { credit: bigint } | { buy: number };

const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ credit: fc.bigInt({ min: 1n, max: 2_000n }) }),
  fc.record({ buy: fc.integer({ min: 1, max: 4 }) }),
);

const amountOf = (cents: bigint) => `${cents / 100n}.${(cents % 100n).toString().padStart(2, '0')}`;

/** Does one step; tells what it moved, in minor units: nothing when it was refused. */
async function move(walletId: string, what: Step): Promise<bigint> {
  if ('credit' in what) {
    await creditWallet(api, shop.business.live, walletId, amountOf(what.credit));
    return what.credit;
  }
  const answer = await buy(api, shop.token, { ...shop.input, walletId, quantity: what.buy });
  const { success, userErrors } = answer.data.purchaseLicensesByWallet;
  if (success) return -PRICE * BigInt(what.buy);
  expect(userErrors.map((error: { code: string }) => error.code)).toEqual(['INSUFFICIENT_FUNDS']);
  return 0n;
}

test('one after the other, credits and purchases do what a plain sum does', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 8 }), async (steps) => {
      const walletId = await newWallet(api, shop.business.live, { customerId: shop.customerId });
      let model = 0n;
      for (const what of steps) {
        const expected =
          'credit' in what ? what.credit : model >= PRICE * BigInt(what.buy) ? -PRICE * BigInt(what.buy) : 0n;
        expect(await move(walletId, what)).toBe(expected);
        model += expected;
        expect(await balanceOf(api, shop.token, walletId)).toBe(model);
      }
    }),
    { numRuns: runs },
  );
  await expectInvariants(api.db);
}, 600_000);

test('at once, they move what they say and no wallet is overdrawn', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 2, maxLength: 12 }), async (steps) => {
      const walletId = await newWallet(api, shop.business.live, { customerId: shop.customerId });
      const moved = await Promise.all(steps.map((what) => move(walletId, what)));
      const balance = await balanceOf(api, shop.token, walletId);
      expect(balance).toBe(moved.reduce((sum, amount) => sum + amount, 0n));
      expect(balance).toBeGreaterThanOrEqual(0n);
    }),
    { numRuns: runs },
  );
  await expectInvariants(api.db);
}, 600_000);
