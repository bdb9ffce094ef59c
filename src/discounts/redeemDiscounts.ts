import { recordChange } from '../events/recordChange.js';
import type { DiscountRefusalReason } from '../generated/graphql.js';
import { newId } from '../kernel/id.js';
import { Refusal } from '../kernel/refusal.js';
import { tenantOf } from '../kernel/requestContext.js';
import type { SqlTx } from '../kernel/transaction.js';
import type { TakenOff } from './applyDiscounts.js';
import { discountNotApplicable } from './refusalReason.js';

/** Who redeems, and with which order. */
export interface Redeemer {
  readonly customerId: string;
  readonly orderId: string;
  readonly currency: string;
}

/**
 * A step: remembers that an order used discounts, and records `discount.redeemed` for each; the rows are written with the
 * transaction's others. The limits are counted apart, by `countRedemptions`.
 */
export function addRedemptions(tx: SqlTx, takenOff: readonly TakenOff[], redeemer: Redeemer): void {
  takenOff.forEach(({ discount, codeId, amountMinor }, index) => {
    const id = newId();
    const redemption = {
      ...tenantOf(tx.ctx),
      id,
      discountId: discount.id,
      discountCodeId: codeId,
      ...redeemer,
      position: index + 1,
      amountMinor,
      createdAt: tx.ctx.now,
    };
    tx.insert('discount_redemptions', redemption);
    const about = { objectType: 'DiscountRedemption', objectId: id, sequence: 1 } as const;
    recordChange(tx, { type: 'discount.redeemed', ...about, snapshot: redemption });
  });
}

const where = 'business_id = $1 AND mode = $2 AND id = $3 AND used_count < usage_limit';
const countInAll = `UPDATE discounts SET used_count = used_count + 1 WHERE ${where} RETURNING id`;
const countOfCode = `UPDATE discount_codes SET used_count = used_count + 1 WHERE ${where} RETURNING id`;
const countOfCustomer = `INSERT INTO discount_customer_uses AS u (business_id, mode, discount_id, customer_id, used_count)
  VALUES ($1, $2, $3, $4, 1)
  ON CONFLICT (business_id, mode, discount_id, customer_id) DO UPDATE SET used_count = u.used_count + 1
    WHERE u.used_count < $5 RETURNING u.discount_id AS id`;

/**
 * A step: counts each discount as used, under its limits: a guarded statement for each limit that there is, none where there is
 * none. Rows that many want are locked here, so call it after everything but the debit; always the discount before its code and
 * customer, and several discounts in the order of their ids, so that nobody waits in a circle.
 * @throws Refusal DiscountNotApplicable: USED_UP, CODE_USED_UP, CUSTOMER_LIMIT_REACHED
 */
export async function countRedemptions(
  tx: SqlTx,
  takenOff: readonly Pick<TakenOff, 'discount' | 'codeId' | 'codeUsageLimit' | 'path'>[],
  customerId: string,
): Promise<void> {
  const { businessId, mode } = tenantOf(tx.ctx);
  const inOrder = [...takenOff].sort(({ discount: a }, { discount: b }) => (a.id < b.id ? -1 : 1));
  for (const { discount, codeId, codeUsageLimit, path } of inOrder) {
    const count = async (reason: DiscountRefusalReason, name: string, text: string, ...values: unknown[]) => {
      const counted = await tx.sql(name, text, [businessId, mode, ...values]);
      if (counted.length === 0) throw new Refusal([discountNotApplicable(path, reason)]);
    };
    const { id, usageLimit, usageLimitPerCustomer: each } = discount;
    if (usageLimit !== null) await count('USED_UP', 'count_discount', countInAll, id);
    if (codeUsageLimit !== null) await count('CODE_USED_UP', 'count_discount_code', countOfCode, codeId);
    if (each !== null) {
      await count('CUSTOMER_LIMIT_REACHED', 'count_discount_of_customer', countOfCustomer, id, customerId, each);
    }
  }
}
