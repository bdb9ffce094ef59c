import { applyDiscounts, type PricedSale, type SaleLine } from '../discounts/applyDiscounts.js';
import { findDiscounts } from '../discounts/findDiscounts.js';
import { addRedemptions, countRedemptions } from '../discounts/redeemDiscounts.js';
import type { SqlTx } from '../kernel/transaction.js';
import type { AgreedPurchase } from './agreedPurchase.js';
import type { WantedPurchase } from './wantedPurchase.js';

type Buying = Pick<AgreedPurchase, 'wallet' | 'package'>;

/**
 * A step: what a purchase costs, for whoever pays, with the discounts that it asks for, which are held as they were read. Without
 * a code there is no statement.
 * @throws Refusal DiscountNotApplicable
 */
export async function discountedPrice(
  tx: SqlTx,
  { quantity, unitAmount, currency, discountCodes }: WantedPurchase,
  { wallet, package: bought }: Buying,
): Promise<PricedSale> {
  const { customerId } = wallet;
  const { productId, id: packageId } = bought;
  const line: SaleLine = { productId, packageId, productOfferingIds: [], quantity, unitAmountMinor: unitAmount };
  const asked = await findDiscounts(tx, discountCodes, customerId, 'HOLD');
  return applyDiscounts({ now: tx.ctx.now, customerId, currency, lines: [line] }, asked);
}

/** A step: writes down the discounts with the order that used them; to be flushed. Without one there is nothing to write. */
export function rememberDiscounts(tx: SqlTx, { price, wallet }: AgreedPurchase, orderId: string): void {
  const { customerId, currency } = wallet;
  addRedemptions(tx, price.takenOff, { customerId, orderId, currency });
}

/**
 * A step: counts the discounts as used, under their limits. The last but the debit, as many purchases may want the same ones.
 * @throws Refusal DiscountNotApplicable where somebody was faster
 */
export async function countDiscounts(tx: SqlTx, { price, wallet }: AgreedPurchase): Promise<void> {
  await countRedemptions(tx, price.takenOff, wallet.customerId);
}
