import DataLoader from 'dataloader';
import type { ProductKeyAddressUse } from '../generated/prisma/client.js';
import { tenantOf, type RequestContext } from '../kernel/requestContext.js';

interface Row {
  productKeyId: string;
  value: string;
}

/** What product keys name by id, in order: one statement for all keys. The keys must be visible to the caller. */
export function namedByKey(
  ctx: RequestContext,
  table: 'product_key_products' | 'product_key_applications' | 'product_key_organizations',
  column: 'product_id' | 'application_id' | 'organization_id',
): DataLoader<string, string[]> {
  const text = `SELECT product_key_id AS "productKeyId", ${column} AS value FROM ${table}
    WHERE business_id = $1 AND mode = $2 AND product_key_id = ANY($3::uuid[]) ORDER BY position`;
  return new DataLoader(async (ids) => {
    const { businessId, mode } = tenantOf(ctx);
    return grouped(ids, await ctx.db.sql<Row>(`named_by_key_${table}`, text, [businessId, mode, ids]));
  });
}

/** Addresses that product keys name for a use, in order: one statement for all keys. */
export function addressesByKey(ctx: RequestContext, use: ProductKeyAddressUse): DataLoader<string, string[]> {
  const text = `SELECT product_key_id AS "productKeyId", address AS value FROM product_key_addresses
    WHERE business_id = $1 AND mode = $2 AND product_key_id = ANY($3::uuid[]) AND use = $4 ORDER BY position`;
  return new DataLoader(async (ids) => {
    const { businessId, mode } = tenantOf(ctx);
    return grouped(ids, await ctx.db.sql<Row>('addresses_by_key', text, [businessId, mode, ids, use]));
  });
}

function grouped(ids: readonly string[], rows: readonly Row[]): string[][] {
  const byKey = new Map<string, string[]>(ids.map((id) => [id, []]));
  for (const { productKeyId, value } of rows) byKey.get(productKeyId)?.push(value);
  return ids.map((id) => byKey.get(id) ?? []);
}
