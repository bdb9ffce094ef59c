import { tenantOf, type RequestContext } from '../kernel/requestContext.js';

/** What a pool has of the caller's mode. */
export interface PoolStock {
  readonly available: number;
  readonly used: number;
  /** Since when that is less than the threshold; null: it is not. */
  readonly lowSince: Date | null;
}

const text = `SELECT pool.id, count(k.id) FILTER (WHERE k.drawn_at IS NULL)::int AS available,
    count(k.drawn_at)::int AS used, max(l.low_since) AS "lowSince"
  FROM unnest($3::uuid[]) AS pool (id)
  LEFT JOIN license_key_pool_keys k ON k.business_id = $1 AND k.mode = $2 AND k.pool_id = pool.id
  LEFT JOIN license_key_pool_levels l ON l.business_id = $1 AND l.mode = $2 AND l.pool_id = pool.id
  GROUP BY pool.id`;

/** What pools have of the caller's mode, one statement for all. */
export async function poolStocks(ctx: RequestContext, ids: readonly string[]): Promise<PoolStock[]> {
  const { businessId, mode } = tenantOf(ctx);
  const rows = await ctx.db.sql<PoolStock & { id: string }>('stocks_of_pools', text, [businessId, mode, ids]);
  const byPool = new Map(rows.map((row) => [row.id, row]));
  return ids.map((id) => byPool.get(id) ?? { available: 0, used: 0, lowSince: null });
}
