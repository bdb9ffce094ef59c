import { recordUpdate } from '../events/recordUpdate.js';
import type { ArchiveProductInput } from '../generated/graphql.js';
import type { ProductOffering } from '../generated/prisma/client.js';
import { lockShared } from '../kernel/lockShared.js';
import { Refusal } from '../kernel/refusal.js';
import { tenantOf, type RequestContext } from '../kernel/requestContext.js';
import { columnsOf } from '../kernel/rows.js';
import { inSqlTransaction, type SqlTx } from '../kernel/transaction.js';
import { missingProduct } from './notFound.js';

/**
 * Archives a product and, with it, its offerings. Archiving again changes nothing.
 * @throws Refusal ProductNotFound
 */
export async function archiveProduct(ctx: RequestContext, input: ArchiveProductInput): Promise<{ productId: string }> {
  return inSqlTransaction(ctx, async (tx) => {
    const current = await lockShared(tx, 'Product', input.productId);
    if (!current) throw new Refusal([missingProduct(['input', 'productId'])]);
    if (current.archivedAt) return { productId: current.id };
    await recordUpdate(tx, 'product.archived', { model: 'Product', current, change: { archivedAt: ctx.now } });
    await archiveOfferings(tx, current.id);
    return { productId: current.id };
  });
}

/** No offering is added meanwhile: whoever adds one holds the product. */
async function archiveOfferings(tx: SqlTx, productId: string): Promise<void> {
  const offerings = await tx.sql<ProductOffering>(
    'lock_available_offerings',
    `SELECT ${columnsOf('ProductOffering')} FROM product_offerings
      WHERE business_id = $1 AND product_id = $2 AND status = 'AVAILABLE' ORDER BY id FOR NO KEY UPDATE`,
    [tenantOf(tx.ctx).businessId, productId],
  );
  for (const current of offerings) {
    const change = { status: 'ARCHIVED' } as const;
    await recordUpdate(tx, 'product_offering.archived', { model: 'ProductOffering', current, change });
  }
}
