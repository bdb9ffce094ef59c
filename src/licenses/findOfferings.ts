import type { ProductOffering } from '../generated/prisma/client.js';
import { tenantOf } from '../kernel/requestContext.js';
import { columnsOf } from '../kernel/rows.js';
import type { SqlReader } from '../kernel/transaction.js';

/** A step, one statement: the business's offerings with these ids, by id; unknown and foreign ones are left out. */
export async function findOfferings(reader: SqlReader, ids: readonly string[]): Promise<Map<string, ProductOffering>> {
  const rows = await reader.sql<ProductOffering>(
    'find_offerings',
    `SELECT ${columnsOf('ProductOffering')} FROM product_offerings WHERE business_id = $1 AND id = ANY ($2::uuid[])`,
    [tenantOf(reader.ctx).businessId, ids],
  );
  return new Map(rows.map((offering) => [offering.id, offering]));
}
