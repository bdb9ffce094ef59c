import type { Discount } from '../generated/prisma/client.js';
import { uuidOf } from '../kernel/id.js';
import { missing } from '../kernel/missing.js';
import { refusal } from '../kernel/refusal.js';
import { tenantOf } from '../kernel/requestContext.js';
import { columnsOf } from '../kernel/rows.js';
import type { SqlTx } from '../kernel/transaction.js';

const locks = { ALONE: 'FOR UPDATE', USE: 'FOR KEY SHARE' } as const;

/**
 * A step: the discount that `discountId` names, locked until the transaction ends.
 * @param strength ALONE waits for every purchase that redeems it just now, and holds up the next ones; USE keeps it from being
 *   changed or archived
 * @throws Refusal DiscountNotFound (the same for foreign and unknown ids), ModeMismatch
 */
export async function lockDiscount(tx: SqlTx, discountId: string, strength: keyof typeof locks): Promise<Discount> {
  const { businessId, mode } = tenantOf(tx.ctx);
  const id = uuidOf('Discount', discountId);
  const [discount] = await tx.sql<Discount>(
    `lock_discount_${strength}`,
    `SELECT ${columnsOf('Discount')} FROM discounts WHERE business_id = $1 AND mode = $2 AND id = $3 ${locks[strength]}`,
    [businessId, mode, id],
  );
  if (discount) return discount;
  const message = 'There is no discount with this id.';
  throw await missing(tx, 'Discount', id, ['input', 'discountId'], 'DiscountNotFound', message);
}

/** @throws Refusal DiscountArchived */
export function refuseIfArchived({ archivedAt }: Discount): void {
  if (archivedAt === null) return;
  throw refusal('DiscountArchived', ['input', 'discountId'], 'The discount is archived. Create a new one.');
}
