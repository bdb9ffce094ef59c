import DataLoader from 'dataloader';
import type { ProductKeyPayment } from '../generated/prisma/client.js';
import { tenantOf, type RequestContext } from '../kernel/requestContext.js';
import { columnsOf } from '../kernel/rows.js';

const SHOWN = 100;

const statement = `SELECT p.* FROM unnest($3::uuid[]) AS asked (id)
  CROSS JOIN LATERAL (SELECT ${columnsOf('ProductKeyPayment', 'p')} FROM product_key_payments p
    WHERE p.business_id = $1 AND p.mode = $2 AND p.product_key_id = asked.id
    ORDER BY p.created_at DESC, p.id DESC LIMIT ${SHOWN}) p`;

/** The last payments of product keys, the newest first: one statement for all keys. */
export function paymentsByKey(ctx: RequestContext): DataLoader<string, ProductKeyPayment[]> {
  return new DataLoader(async (ids) => {
    const { businessId, mode } = tenantOf(ctx);
    const rows = await ctx.db.sql<ProductKeyPayment>('payments_by_key', statement, [businessId, mode, ids]);
    const byKey = new Map<string, ProductKeyPayment[]>(ids.map((id) => [id, []]));
    for (const row of rows) byKey.get(row.productKeyId)?.push(row);
    return ids.map((id) => byKey.get(id) ?? []);
  });
}
