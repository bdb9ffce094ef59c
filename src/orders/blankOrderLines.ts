import { tenantOf } from '../kernel/requestContext.js';
import type { SqlTx } from '../kernel/transaction.js';

/**
 * A step: takes the descriptions out of the lines of what a customer bought, or was bought for it. What was bought, and for how
 * much, stays.
 */
export async function blankOrderLinesOf(tx: SqlTx, customerId: string): Promise<void> {
  const { businessId, mode } = tenantOf(tx.ctx);
  await tx.sql(
    'blank_order_lines_of_customer',
    `UPDATE order_lines SET description = NULL
      WHERE business_id = $1 AND mode = $2 AND description IS NOT NULL AND order_id IN (
        SELECT id FROM orders WHERE business_id = $1 AND mode = $2 AND customer_id = $3
        UNION SELECT order_id FROM licenses WHERE business_id = $1 AND mode = $2 AND customer_id = $3)`,
    [businessId, mode, customerId],
  );
}
