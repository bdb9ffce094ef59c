import type { SqlTx } from '../kernel/transaction.js';
import { tenantViewer } from '../kernel/requestContext.js';

/** The brand that new objects go to: the one that `Brand-URL` names, else the business's primary one. */
export async function brandForNew(tx: SqlTx): Promise<string> {
  const viewer = tenantViewer(tx.ctx);
  if (viewer.brandId) return viewer.brandId;
  const [brand] = await tx.sql<{ id: string }>(
    'primary_brand',
    'SELECT id FROM brands WHERE business_id = $1 AND is_primary',
    [viewer.businessId],
  );
  if (!brand) throw new Error('the business has no primary brand');
  return brand.id;
}
