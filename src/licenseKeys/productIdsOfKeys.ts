import { tenantOf, type RequestContext } from '../kernel/requestContext.js';

const text = `SELECT DISTINCT ON (b.license_key_id) b.license_key_id AS id,
    coalesce(o.product_id, p.primary_product_id) AS "productId"
  FROM license_key_bindings b
  JOIN licenses l ON l.business_id = b.business_id AND l.mode = b.mode AND l.id = b.license_id
  LEFT JOIN product_offerings o ON o.business_id = l.business_id AND o.id = l.product_offering_id
  LEFT JOIN packages p ON p.business_id = l.business_id AND p.id = l.package_id
  WHERE b.business_id = $1 AND b.mode = $2 AND b.license_key_id = ANY($3::uuid[])
  ORDER BY b.license_key_id, l.created_at DESC, l.id DESC`;

/** The product of the newest license on each key, one statement for all; null: it never had a license. */
export async function productIdsOfKeys(ctx: RequestContext, ids: readonly string[]): Promise<(string | null)[]> {
  const { businessId, mode } = tenantOf(ctx);
  const rows = await ctx.db.sql<{ id: string; productId: string | null }>('products_of_keys', text, [
    businessId,
    mode,
    ids,
  ]);
  const byKey = new Map(rows.map(({ id, productId }) => [id, productId]));
  return ids.map((id) => byKey.get(id) ?? null);
}
