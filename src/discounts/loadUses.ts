import { tenantOf, type RequestContext } from '../kernel/requestContext.js';

/**
 * How often discounts or codes were redeemed, counted in what was redeemed: for those without a limit, which keep no count.
 * @returns counts in the order of the ids
 */
export async function loadUses(
  ctx: RequestContext,
  column: 'discount_id' | 'discount_code_id',
  ids: readonly string[],
): Promise<number[]> {
  const { businessId, mode } = tenantOf(ctx);
  const rows = await ctx.db.sql<{ id: string; count: number }>(
    `uses_by_${column}`,
    `SELECT ${column} AS id, count(*)::int AS count FROM discount_redemptions
      WHERE business_id = $1 AND mode = $2 AND ${column} = ANY($3::uuid[]) GROUP BY 1`,
    [businessId, mode, ids],
  );
  const counts = new Map(rows.map(({ id, count }) => [id, count]));
  return ids.map((id) => counts.get(id) ?? 0);
}

/** Ids of the discounts that codes are of, in the order of the codes; null where there is none. */
export async function loadIdsByCode(ctx: RequestContext, keys: readonly string[]): Promise<(string | null)[]> {
  const { businessId, mode } = tenantOf(ctx);
  const rows = await ctx.db.sql<{ key: string; id: string }>(
    'discounts_by_code',
    `SELECT code_key AS key, discount_id AS id FROM discount_codes
      WHERE business_id = $1 AND mode = $2 AND code_key = ANY($3)`,
    [businessId, mode, keys],
  );
  const ids = new Map(rows.map(({ key, id }) => [key, id]));
  return keys.map((key) => ids.get(key) ?? null);
}

/** The codes of batches, each batch's in the order in which they were generated. */
export async function loadBatches(ctx: RequestContext, batchIds: readonly string[]): Promise<string[][]> {
  const { businessId, mode } = tenantOf(ctx);
  const rows = await ctx.db.sql<{ batchId: string; code: string }>(
    'codes_of_batches',
    `SELECT batch_id AS "batchId", code FROM discount_codes
      WHERE business_id = $1 AND mode = $2 AND batch_id = ANY($3::uuid[]) ORDER BY batch_id, id`,
    [businessId, mode, batchIds],
  );
  const codes = new Map<string, string[]>(batchIds.map((id) => [id, []]));
  for (const { batchId, code } of rows) codes.get(batchId)?.push(code);
  return batchIds.map((id) => codes.get(id) as string[]);
}
