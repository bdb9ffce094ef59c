import { recordUpdate } from '../events/recordUpdate.js';
import type { LicenseKeyPool } from '../generated/prisma/client.js';
import { systemContext, type SystemParts } from '../jobs/systemContext.js';
import { globalId } from '../kernel/id.js';
import { lockShared } from '../kernel/lockShared.js';
import { tenantOf, type Tenant } from '../kernel/requestContext.js';
import { inSqlTransaction, type SqlTx } from '../kernel/transaction.js';

/** How many keys of a mode a pool has left, counted only as far as the threshold. */
const left = `(SELECT count(*) FROM (SELECT 1 FROM license_key_pool_keys k
    WHERE k.business_id = p.business_id AND k.mode = m.mode AND k.pool_id = p.id AND k.drawn_at IS NULL
    LIMIT p.low_stock_threshold) AS counted)`;

const lowText = `SELECT p.business_id AS "businessId", m.mode, p.id FROM license_key_pools p
  CROSS JOIN unnest(enum_range(NULL::mode)) AS m (mode)
  WHERE p.low_stock_threshold > 0 AND p.archived_at IS NULL
    AND NOT EXISTS (SELECT 1 FROM license_key_pool_levels l
      WHERE l.business_id = p.business_id AND l.mode = m.mode AND l.pool_id = p.id)
    AND EXISTS (SELECT 1 FROM license_key_pool_keys k
      WHERE k.business_id = p.business_id AND k.mode = m.mode AND k.pool_id = p.id)
    AND ${left} < p.low_stock_threshold`;

/**
 * A job: records `license_key_pool.low_stock` for pools that have fewer keys of a mode left than their threshold, once until
 * they are filled up again, however many workers run it at once. Asked every minute and not by each draw: draws at the same
 * time do not see each other, and would tell it twice or not at all.
 * @returns how many pools were told
 */
export async function noticeLowStock(parts: SystemParts): Promise<number> {
  const low = await parts.db.sql<Tenant & { id: string }>('low_pools', lowText, []);
  let told = 0;
  for (const { id, ...tenant } of low) {
    const { isNew } = await inSqlTransaction(systemContext(parts, tenant), async (tx) => ({
      isNew: await beginLowStock(tx, id),
    }));
    if (isNew) told++;
  }
  return told;
}

/** Whoever writes the pool's level tells it. The pool's row is locked first, as when it is filled up. */
async function beginLowStock(tx: SqlTx, poolId: string): Promise<boolean> {
  const { businessId, mode } = tenantOf(tx.ctx);
  const pool = await lockShared(tx, 'LicenseKeyPool', globalId('LicenseKeyPool', poolId));
  if (!pool || pool.archivedAt || (await leftUpToThreshold(tx, pool)) >= pool.lowStockThreshold) return false;
  const begun = await tx.sql(
    'begin_low_stock',
    `INSERT INTO license_key_pool_levels (business_id, mode, pool_id, low_since) VALUES ($1, $2, $3, $4)
      ON CONFLICT DO NOTHING RETURNING pool_id`,
    [businessId, mode, poolId, tx.ctx.now],
  );
  if (begun.length === 0) return false;
  const available = await leftUpToThreshold(tx, pool);
  const aside = { before: {}, after: { available, lowStockThreshold: pool.lowStockThreshold } };
  const about = { model: 'LicenseKeyPool', current: pool, change: {} } as const;
  await recordUpdate(tx, 'license_key_pool.low_stock', about, aside);
  return true;
}

/** A step: a locked pool that has enough keys of a mode is no longer low in it, so that the next crossing is told again. */
export async function endLowStock(tx: SqlTx, { businessId, id }: LicenseKeyPool): Promise<void> {
  await tx.sql(
    'end_low_stock',
    `DELETE FROM license_key_pool_levels m USING license_key_pools p
      WHERE m.business_id = $1 AND m.pool_id = $2 AND p.business_id = $1 AND p.id = $2 AND ${left} >= p.low_stock_threshold`,
    [businessId, id],
  );
}

async function leftUpToThreshold(tx: SqlTx, { id }: LicenseKeyPool): Promise<number> {
  const { businessId, mode } = tenantOf(tx.ctx);
  const [row] = (await tx.sql<{ count: number }>(
    'left_in_pool',
    `SELECT ${left}::int AS count FROM license_key_pools p CROSS JOIN (VALUES ($2::mode)) AS m (mode)
      WHERE p.business_id = $1 AND p.id = $3`,
    [businessId, mode, id],
  )) as [{ count: number }];
  return row.count;
}
