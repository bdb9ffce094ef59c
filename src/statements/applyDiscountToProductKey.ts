import { recordChange } from '../events/recordChange.js';
import type { ApplyDiscountToProductKeyInput } from '../generated/graphql.js';
import type { DiscountRedemption, ProductKey } from '../generated/prisma/client.js';
import { reasonAgainstRecurring, type FoundDiscount } from '../discounts/applyDiscounts.js';
import { findDiscounts } from '../discounts/findDiscounts.js';
import { countRedemptions } from '../discounts/redeemDiscounts.js';
import { discountNotApplicable } from '../discounts/refusalReason.js';
import { refuseErased } from '../kernel/erased.js';
import { newId } from '../kernel/id.js';
import { Refusal } from '../kernel/refusal.js';
import { tenantOf, type RequestContext } from '../kernel/requestContext.js';
import { inSqlTransaction, type SqlTx } from '../kernel/transaction.js';
import { changeProductKey } from '../productKeys/changeProductKey.js';
import { lockCharges, type LockedCharges } from './lockCharges.js';

const path = ['input', 'discountCode'];

/**
 * Redeems a discount for a product key, whose statements it lowers from the present period on: with the terms that it has now,
 * whatever becomes of it.
 * @throws Refusal ProductKeyNotFound, ModeMismatch, BrandMismatch, StaleObject, ProductKeyEnded, CustomerErased,
 *   DiscountNotApplicable
 */
export async function applyDiscountToProductKey(
  ctx: RequestContext,
  input: ApplyDiscountToProductKeyInput,
): Promise<{ productKeyId: string; customerId: string; redemptionId: string }> {
  return inSqlTransaction(ctx, async (tx) => {
    const locked = await lockCharges(tx, input);
    const { key } = locked;
    const { productId, ...owner } = await readSale(tx, key);
    refuseErased(owner, ['input', 'productKeyId']);
    const [asked] = await findDiscounts(tx, [{ code: input.discountCode, path }], key.customerId, 'HOLD');
    const found = asked?.found ?? null;
    const reason = reasonAgainstRecurring(saleOf(tx, locked, productId), takenOf(locked), found);
    if (reason !== null || !found) throw new Refusal([discountNotApplicable(path, reason ?? 'UNKNOWN_CODE')]);
    const redemptionId = redeem(tx, locked, found);
    const after = { redemptionId, discountId: found.discount.id };
    const fact = { type: 'product_key.discount_applied', reason: null, aside: { before: {}, after } } as const;
    await changeProductKey(tx, key, {}, fact);
    await countRedemptions(tx, [{ ...found, path }], key.customerId);
    return { productKeyId: key.id, customerId: key.customerId, redemptionId };
  });
}

async function readSale(
  tx: SqlTx,
  { businessId, mode, id, customerId }: ProductKey,
): Promise<{ productId: string; erasedAt: Date | null }> {
  const [sale] = await tx.sql<{ productId: string; erasedAt: Date | null }>(
    'sale_of_product_key',
    `SELECT c.erased_at AS "erasedAt", (SELECT p.product_id FROM product_key_products p
        WHERE p.business_id = $1 AND p.mode = $2 AND p.product_key_id = $3 ORDER BY p.position LIMIT 1) AS "productId"
      FROM customers c WHERE c.business_id = $1 AND c.mode = $2 AND c.id = $4 FOR KEY SHARE OF c`,
    [businessId, mode, id, customerId],
  );
  if (!sale) throw new Error("a product key's owner is gone");
  return sale;
}

/** As a purchase of the key's first product by its owner, in the currency that the key is charged in, if it is. */
function saleOf(tx: SqlTx, { key, rules }: LockedCharges, productId: string) {
  const { customerId } = key;
  const line = { productId, packageId: null, productOfferingIds: [], quantity: 1, unitAmountMinor: 0n };
  return { now: tx.ctx.now, customerId, currency: rules[0]?.currency ?? '', lines: [line] };
}

function takenOf({ discounts }: LockedCharges): { id: string; isCombinable: boolean }[] {
  return discounts.map(({ discountId: id, isCombinable }) => ({ id, isCombinable }));
}

/** @returns the redemption's id, which is also the one of what lowers the statements */
function redeem(tx: SqlTx, { key, discounts, at }: LockedCharges, { discount, codeId }: FoundDiscount): string {
  const id = newId();
  const about = { ...tenantOf(tx.ctx), id, productKeyId: key.id, discountId: discount.id };
  const redemption: DiscountRedemption = {
    ...about,
    discountCodeId: codeId,
    customerId: key.customerId,
    orderId: null,
    position: discounts.length + 1,
    currency: null,
    amountMinor: null,
    createdAt: tx.ctx.now,
  };
  tx.insert('discount_redemptions', redemption);
  const { percentBasisPoints, amountsMinor, minimumSpendsMinor, isCombinable, stackingOrder } = discount;
  const terms = { percentBasisPoints, amountsMinor, minimumSpendsMinor, isCombinable, stackingOrder };
  tx.insert('product_key_discounts', { ...about, ...terms, attachedAt: at, detachedAt: null } as never);
  const objects = { objectType: 'DiscountRedemption', objectId: id, sequence: 1 } as const;
  recordChange(tx, { type: 'discount.redeemed', ...objects, snapshot: redemption });
  return id;
}
