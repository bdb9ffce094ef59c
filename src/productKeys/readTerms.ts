import type { ProductKey, ProductKeyMeter, ProductKeyPayment } from '../generated/prisma/client.js';
import { columnsOf } from '../kernel/rows.js';
import type { SqlTx } from '../kernel/transaction.js';

/** The meter of a product key, as it is stored: `meterAsOf` says what it is now. */
export async function readMeter(
  tx: Pick<SqlTx, 'sql'>,
  { businessId, mode, id }: ProductKey,
): Promise<ProductKeyMeter> {
  const [meter] = await tx.sql<ProductKeyMeter>(
    'meter_of_product_key',
    `SELECT ${columnsOf('ProductKeyMeter')} FROM product_key_meters WHERE business_id = $1 AND mode = $2 AND id = $3`,
    [businessId, mode, id],
  );
  if (!meter) throw new Error('a product key has no meter');
  return meter;
}

/** A step: the payments for a locked key that came in for periods which are not over, the oldest first. */
export async function readUnusedPayments(
  tx: SqlTx,
  { businessId, mode, id }: ProductKey,
): Promise<ProductKeyPayment[]> {
  return tx.sql<ProductKeyPayment>(
    'unused_payments_of_product_key',
    `SELECT ${columnsOf('ProductKeyPayment')} FROM product_key_payments
      WHERE business_id = $1 AND mode = $2 AND product_key_id = $3 AND result = 'SUCCEEDED' AND period_ends_at > $4
      ORDER BY created_at, id`,
    [businessId, mode, id, tx.ctx.now],
  );
}
