import type { ProductKey, ProductKeyMeter, ProductKeyPayment } from '../generated/prisma/client.js';
import { columnsOf } from '../kernel/rows.js';
import type { SqlTx } from '../kernel/transaction.js';

/** Column: what breaches of SLAs gave back of the payments `p`. */
export const creditedMinor = `coalesce((SELECT sum(c.amount_minor) FROM sla_breach_credits c
  WHERE c.business_id = p.business_id AND c.mode = p.mode AND c.payment_id = p.id), 0)::bigint AS "creditedMinor"`;

/** A step: the meter of a product key, as it is stored: `meterAsOf` says what it is now. */
export async function readMeter(tx: SqlTx, { businessId, mode, id }: ProductKey): Promise<ProductKeyMeter> {
  const [meter] = await tx.sql<ProductKeyMeter>(
    'meter_of_product_key',
    `SELECT ${columnsOf('ProductKeyMeter')} FROM product_key_meters WHERE business_id = $1 AND mode = $2 AND id = $3`,
    [businessId, mode, id],
  );
  if (!meter) throw new Error('a product key has no meter');
  return meter;
}

/**
 * A step: the payments for a locked key that came in for periods which are not over, the oldest first, each with what breaches of
 * SLAs gave back of it.
 */
export async function readUnusedPayments(
  tx: SqlTx,
  { businessId, mode, id }: ProductKey,
): Promise<(ProductKeyPayment & { creditedMinor: bigint })[]> {
  return tx.sql<ProductKeyPayment & { creditedMinor: bigint }>(
    'unused_payments_of_product_key',
    `SELECT ${columnsOf('ProductKeyPayment', 'p')}, ${creditedMinor} FROM product_key_payments p
      WHERE p.business_id = $1 AND p.mode = $2 AND p.product_key_id = $3 AND p.result = 'SUCCEEDED' AND p.period_ends_at > $4
      ORDER BY p.created_at, p.id`,
    [businessId, mode, id, tx.ctx.now],
  );
}
