import type { ProductKey, ProductKeyMeter } from '../generated/prisma/client.js';
import { tenantOf } from '../kernel/requestContext.js';
import { columnsOf } from '../kernel/rows.js';
import type { SqlTx } from '../kernel/transaction.js';
import { meterAsOf } from './meter.js';

const lockText = `SELECT ${columnsOf('ProductKeyMeter')} FROM product_key_meters
  WHERE business_id = $1 AND mode = $2 AND id = ANY($3::uuid[]) ORDER BY id FOR NO KEY UPDATE`;

const beginText = `UPDATE product_key_meters m SET consumed = 0, period_starts_at = a.starts_at, period_ends_at = a.ends_at
  FROM unnest($3::uuid[], $4::timestamptz[], $5::timestamptz[]) AS a (id, starts_at, ends_at)
  WHERE m.business_id = $1 AND m.mode = $2 AND m.id = a.id`;

/**
 * A step, two statements at most: locks the meters of locked product keys, by key. Where a period is over, its total is kept in
 * `product_key_periods`, and the meter begins the period that it is now.
 */
export async function lockMeters(tx: SqlTx, keys: readonly ProductKey[]): Promise<Map<string, ProductKeyMeter>> {
  if (keys.length === 0) return new Map();
  const { businessId, mode } = tenantOf(tx.ctx);
  const ids = keys.map(({ id }) => id);
  const stored = await tx.sql<ProductKeyMeter>('lock_meters', lockText, [businessId, mode, ids]);
  const startOf = new Map(keys.map(({ id, startsAt }) => [id, startsAt]));
  const meters = stored.map((meter) => meterAsOf(meter, startOf.get(meter.id) as Date, tx.ctx.now));
  const over = stored.filter((meter, i) => meter !== meters[i]);
  if (over.length > 0) {
    keepPeriods(tx, over);
    const begun = meters.filter((meter, i) => meter !== stored[i]);
    await tx.sql('begin_meter_periods', beginText, [
      businessId,
      mode,
      begun.map(({ id }) => id),
      begun.map(({ periodStartsAt }) => periodStartsAt),
      begun.map(({ periodEndsAt }) => periodEndsAt),
    ]);
  }
  return new Map(meters.map((meter) => [meter.id, { ...meter }]));
}

function keepPeriods(tx: SqlTx, meters: readonly ProductKeyMeter[]): void {
  tx.insert(
    'product_key_periods',
    ...meters.map(({ businessId, mode, id, periodStartsAt, periodEndsAt, consumed, quota, overQuota }) => ({
      businessId,
      mode,
      productKeyId: id,
      startsAt: periodStartsAt,
      endsAt: periodEndsAt as Date,
      consumed,
      quota,
      overQuota,
      closedAt: tx.ctx.now,
    })),
  );
}
