import { archivedProduct } from '../catalog/archived.js';
import { missingProduct } from '../catalog/notFound.js';
import type { Product } from '../generated/prisma/client.js';
import { uuidOf } from '../kernel/id.js';
import { userError, type UserErrorData } from '../kernel/refusal.js';
import { tenantOf } from '../kernel/requestContext.js';
import { columnsOf } from '../kernel/rows.js';
import type { SqlTx } from '../kernel/transaction.js';

/**
 * A step: the products that `productIds` names, each once, in that order, held against being archived until the transaction
 * ends. Adds a problem for each that is unknown, or archived or not published and not one of `kept`.
 */
export async function findProducts(
  tx: SqlTx,
  problems: UserErrorData[],
  productIds: readonly string[],
  kept: ReadonlySet<string> = new Set(),
): Promise<Product[]> {
  const ids = productIds.map((id) => uuidOf('Product', id));
  const rows = await tx.sql<Product>(
    'hold_products',
    `SELECT ${columnsOf('Product')} FROM products WHERE business_id = $1 AND id = ANY($2::uuid[]) ORDER BY id FOR SHARE`,
    [tenantOf(tx.ctx).businessId, ids],
  );
  const byId = new Map(rows.map((row) => [row.id, row]));
  const products = new Set<Product>();
  ids.forEach((id, index) => {
    const product = byId.get(id);
    const path = ['input', 'productIds', index];
    if (!product) problems.push(missingProduct(path));
    else if (product.archivedAt && !kept.has(id)) problems.push(archivedProduct(path));
    else if (!product.published && !kept.has(id)) problems.push(unpublished(path));
    else products.add(product);
  });
  return [...products];
}

function unpublished(path: readonly (string | number)[]): UserErrorData {
  const message = 'The product is not published: no product key is made of it. Publish it with `updateProduct` first.';
  return userError('ProductUnpublished', path, message);
}
