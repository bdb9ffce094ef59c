import { tenantOf, type RequestContext } from '../kernel/requestContext.js';

/** Until when devices may run on files of keys, in the order of the keys; null: none may. One statement. */
export async function offlineUntil(ctx: RequestContext, licenseKeyIds: readonly string[]): Promise<(Date | null)[]> {
  const { businessId, mode } = tenantOf(ctx);
  const rows = await ctx.db.sql<{ id: string; until: Date }>(
    'offline_until',
    `SELECT license_key_id AS id, max(offline_until) AS until FROM license_file_holds
      WHERE business_id = $1 AND mode = $2 AND license_key_id = ANY($3::uuid[]) AND offline_until > $4 GROUP BY 1`,
    [businessId, mode, licenseKeyIds, ctx.now],
  );
  const ends = new Map(rows.map(({ id, until }) => [id, until]));
  return licenseKeyIds.map((id) => ends.get(id) ?? null);
}
