import type { RemoveDiscountFromProductKeyInput } from '../generated/graphql.js';
import type { ProductKey } from '../generated/prisma/client.js';
import { uuidOf } from '../kernel/id.js';
import { refusal } from '../kernel/refusal.js';
import type { RequestContext } from '../kernel/requestContext.js';
import { inSqlTransaction, type SqlTx } from '../kernel/transaction.js';
import { changeProductKey } from '../productKeys/changeProductKey.js';
import { lockCharges } from './lockCharges.js';

/**
 * Takes a discount away from a product key: its statements are not lowered by it from the present period on. The use stays used.
 * Removing again changes nothing.
 * @throws Refusal ProductKeyNotFound, ModeMismatch, BrandMismatch, StaleObject, ProductKeyEnded, DiscountRedemptionNotFound
 */
export async function removeDiscountFromProductKey(
  ctx: RequestContext,
  input: RemoveDiscountFromProductKeyInput,
): Promise<{ productKeyId: string; customerId: string }> {
  return inSqlTransaction(ctx, async (tx) => {
    const { key, at } = await lockCharges(tx, input);
    const redemptionId = uuidOf('DiscountRedemption', input.redemptionId);
    if (await isRemovedNow(tx, key, redemptionId, at)) {
      const aside = { before: { redemptionId }, after: { redemptionId: null } };
      await changeProductKey(tx, key, {}, { type: 'product_key.discount_removed', reason: null, aside });
    }
    return { productKeyId: key.id, customerId: key.customerId };
  });
}

/** Whether it was attached until now. @throws Refusal DiscountRedemptionNotFound when it never was */
async function isRemovedNow(tx: SqlTx, key: ProductKey, redemptionId: string, at: Date): Promise<boolean> {
  const [row] = await tx.sql<{ isRemoved: boolean }>(
    'remove_product_key_discount',
    `WITH removed AS (UPDATE product_key_discounts SET detached_at = $5
        WHERE business_id = $1 AND mode = $2 AND product_key_id = $3 AND id = $4 AND detached_at IS NULL RETURNING id)
      SELECT EXISTS (SELECT FROM removed) AS "isRemoved" FROM product_key_discounts
        WHERE business_id = $1 AND mode = $2 AND product_key_id = $3 AND id = $4`,
    [key.businessId, key.mode, key.id, redemptionId, at],
  );
  if (row) return row.isRemoved;
  const message = 'The product key has no redemption with this id. Read its `discounts`.';
  throw refusal('DiscountRedemptionNotFound', ['input', 'redemptionId'], message);
}
