import type { ProductOffering } from '../generated/prisma/client.js';
import { globalId, uuidOf } from '../kernel/id.js';
import { lockShared } from '../kernel/lockShared.js';
import { Refusal, refusal } from '../kernel/refusal.js';
import { tenantOf } from '../kernel/requestContext.js';
import type { SqlTx } from '../kernel/transaction.js';
import { archivedProductOffering } from './archived.js';
import { missingProductOffering } from './notFound.js';
import { lockPackagesWith } from './packageOfferings.js';

const path = ['input', 'productOfferingId'];

/**
 * A step: the offering that the input names, locked so that nobody sells it meanwhile, with what a revision touches: its product
 * and the packages that it comes with, in the order in which others lock them.
 * @throws Refusal ProductOfferingNotFound
 */
export async function lockForRevision(tx: SqlTx, productOfferingId: string): Promise<ProductOffering> {
  const id = uuidOf('ProductOffering', productOfferingId);
  const [row] = await tx.sql<{ productId: string }>(
    'product_of_offering',
    'SELECT product_id AS "productId" FROM product_offerings WHERE business_id = $1 AND id = $2',
    [tenantOf(tx.ctx).businessId, id],
  );
  if (!row) throw new Refusal([missingProductOffering(path)]);
  await lockShared(tx, 'Product', globalId('Product', row.productId), 'USE');
  await lockPackagesWith(tx, id);
  const offering = await lockShared(tx, 'ProductOffering', productOfferingId, 'ALONE');
  if (!offering) throw new Error('nothing is ever deleted, but an offering is gone');
  return offering;
}

/**
 * A step: refuses to go on with an offering that cannot be had any more.
 * @throws Refusal ProductOfferingSuperseded with the newest revision, ProductOfferingUnavailable
 */
export async function refuseUnavailable(tx: SqlTx, offering: ProductOffering): Promise<void> {
  if (offering.status === 'SUPERSEDED') {
    const current = globalId('ProductOffering', await newestRevisionOf(tx, offering.id));
    const message = `The offering was superseded and stays as it was sold. Its newest revision is ${current}.`;
    throw refusal('ProductOfferingSuperseded', path, message, { current });
  }
  if (offering.status !== 'AVAILABLE') throw new Refusal([archivedProductOffering(path)]);
}

async function newestRevisionOf(tx: SqlTx, id: string): Promise<string> {
  const [newest] = await tx.sql<{ id: string }>(
    'newest_revision',
    `WITH RECURSIVE revisions AS (
       SELECT id, revision FROM product_offerings WHERE business_id = $1 AND id = $2
       UNION ALL
       SELECT o.id, o.revision FROM product_offerings o JOIN revisions r ON o.supersedes_id = r.id WHERE o.business_id = $1)
     SELECT id FROM revisions ORDER BY revision DESC LIMIT 1`,
    [tenantOf(tx.ctx).businessId, id],
  );
  return newest?.id ?? id;
}
