import DataLoader from 'dataloader';
import { tenantOf, type RequestContext } from '../kernel/requestContext.js';

const text = `SELECT product.id, latest.name FROM unnest($2::uuid[]) AS product (id)
  CROSS JOIN LATERAL (
    SELECT v.name FROM product_versions v
     WHERE v.business_id = $1 AND v.product_id = product.id AND v.published_at IS NOT NULL
     ORDER BY v.published_at DESC, v.id DESC LIMIT 1) latest`;

/**
 * Names of products' newest public versions: published last, of several at one instant created last; null where none is
 * public. One statement for all products, each one step into an index.
 */
export function loadLatestVersionNames(ctx: RequestContext): DataLoader<string, string | null> {
  return new DataLoader(async (productIds) => {
    const values = [tenantOf(ctx).businessId, productIds];
    const rows = await ctx.db.sql<{ id: string; name: string }>('latest_version_names', text, values);
    const names = new Map(rows.map(({ id, name }) => [id, name]));
    return productIds.map((id) => names.get(id) ?? null);
  });
}
