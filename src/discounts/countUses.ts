import { tenantOf } from '../kernel/requestContext.js';
import type { SqlTx } from '../kernel/transaction.js';

/** A step: how often a discount, whose row is held against purchases, was redeemed. */
export async function countUses(tx: SqlTx, discountId: string): Promise<number> {
  const { businessId, mode } = tenantOf(tx.ctx);
  const [row] = await tx.sql<{ count: number }>(
    'count_uses_of_discount',
    `SELECT count(*)::int AS count FROM discount_redemptions WHERE business_id = $1 AND mode = $2 AND discount_id = $3`,
    [businessId, mode, discountId],
  );
  return row?.count ?? 0;
}

/** A step: writes down how often each customer has redeemed such a discount; what was written before may be old. */
export async function countUsesOfCustomers(tx: SqlTx, discountId: string): Promise<void> {
  const { businessId, mode } = tenantOf(tx.ctx);
  await tx.sql(
    'count_uses_of_customers',
    `INSERT INTO discount_customer_uses (business_id, mode, discount_id, customer_id, used_count)
     SELECT business_id, mode, discount_id, customer_id, count(*) FROM discount_redemptions
      WHERE business_id = $1 AND mode = $2 AND discount_id = $3 GROUP BY 1, 2, 3, 4
     ON CONFLICT (business_id, mode, discount_id, customer_id) DO UPDATE SET used_count = excluded.used_count`,
    [businessId, mode, discountId],
  );
}
