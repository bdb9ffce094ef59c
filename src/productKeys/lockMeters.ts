import type { ProductKey, ProductKeyMeter } from '../generated/prisma/client.js';
import { tenantOf } from '../kernel/requestContext.js';
import { columnsOf } from '../kernel/rows.js';
import type { SqlTx } from '../kernel/transaction.js';
import { closePeriods } from './closePeriods.js';
import { periodsOver } from './periodsOver.js';

const lockText = `SELECT ${columnsOf('ProductKeyMeter')} FROM product_key_meters
  WHERE business_id = $1 AND mode = $2 AND id = ANY($3::uuid[]) ORDER BY id FOR NO KEY UPDATE`;

const advanceText = `UPDATE product_key_meters m SET consumed = a.consumed, period_starts_at = a.starts_at, period_ends_at = a.ends_at,
    closed_at = a.closed_at
  FROM unnest($3::uuid[], $4::bigint[], $5::timestamptz[], $6::timestamptz[], $7::timestamptz[])
    AS a (id, consumed, starts_at, ends_at, closed_at)
  WHERE m.business_id = $1 AND m.mode = $2 AND m.id = a.id`;

/**
 * A step, one statement where no period is over: locks the meters of locked product keys, by key. Each period that is over gets its
 * statement, the last one of a key that has ended too, and the meter begins the period that it is now.
 */
export async function lockMeters(tx: SqlTx, keys: readonly ProductKey[]): Promise<Map<string, ProductKeyMeter>> {
  return (await closeOver(tx, keys)).meters;
}

/**
 * A step: closes the last period of a locked product key that has ended just now.
 * @returns the key with its next version
 */
export async function closeLast(tx: SqlTx, key: ProductKey): Promise<ProductKey> {
  const { closed } = await closeOver(tx, [key]);
  return { ...key, version: key.version + closed };
}

/**
 * The same as `lockMeters`, for so many periods of each key at most; a meter of which more are over is of one that is.
 * @returns how many were closed, beside the meters
 */
export async function closeOver(
  tx: SqlTx,
  keys: readonly ProductKey[],
  most?: number,
): Promise<{ meters: Map<string, ProductKeyMeter>; closed: number }> {
  if (keys.length === 0) return { meters: new Map(), closed: 0 };
  const { businessId, mode } = tenantOf(tx.ctx);
  const ids = keys.map(({ id }) => id);
  const stored = await tx.sql<ProductKeyMeter>('lock_meters', lockText, [businessId, mode, ids]);
  const byId = new Map(keys.map((key) => [key.id, key]));
  const found = stored.map((before) => {
    const key = byId.get(before.id) as ProductKey;
    return { key, before, ...periodsOver(before, key, tx.ctx.now, most) };
  });
  const advanced = found.flatMap(({ before, meter }) => (meter === before ? [] : [meter]));
  if (advanced.length > 0) await advance(tx, advanced);
  const closing = found.filter(({ over }) => over.length > 0);
  await closePeriods(tx, closing);
  return {
    meters: new Map(found.map(({ meter }) => [meter.id, { ...meter }])),
    closed: closing.reduce((sum, { over }) => sum + over.length, 0),
  };
}

async function advance(tx: SqlTx, meters: readonly ProductKeyMeter[]): Promise<void> {
  const { businessId, mode } = tenantOf(tx.ctx);
  await tx.sql('advance_meters', advanceText, [
    businessId,
    mode,
    meters.map(({ id }) => id),
    meters.map(({ consumed }) => consumed),
    meters.map(({ periodStartsAt }) => periodStartsAt),
    meters.map(({ periodEndsAt }) => periodEndsAt),
    meters.map(({ closedAt }) => closedAt),
  ]);
}
