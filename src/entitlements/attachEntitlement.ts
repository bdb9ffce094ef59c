import { refuseSuperseded } from '../catalog/lockOffering.js';
import type { AttachEntitlementInput } from '../generated/graphql.js';
import { newId } from '../kernel/id.js';
import { lockShared } from '../kernel/lockShared.js';
import { refusal } from '../kernel/refusal.js';
import { tenantOf, type RequestContext } from '../kernel/requestContext.js';
import { inSqlTransaction, type SqlTx } from '../kernel/transaction.js';
import { lockEntitlement } from './lockEntitlement.js';
import { findTarget } from './target.js';
import { recordEntitlementUpdate } from './recordEntitlementUpdate.js';

/**
 * Makes every later license of a product, offering or package grant an entitlement. Attaching again changes nothing.
 * @throws Refusal EntitlementNotFound, EntitlementArchived, ProductNotFound, ProductOfferingNotFound, PackageNotFound,
 *   ProductOfferingSuperseded, BrandMismatch when `Brand-URL` names another brand than the package's
 */
export async function attachEntitlement(
  ctx: RequestContext,
  input: AttachEntitlementInput,
): Promise<{ entitlementId: string }> {
  return inSqlTransaction(ctx, async (tx) => {
    const entitlement = await lockEntitlement(tx, input.entitlementId);
    if (entitlement.archivedAt) {
      const message = 'The entitlement is archived: it is given no more. Attach another one.';
      throw refusal('EntitlementArchived', ['input', 'entitlementId'], message);
    }
    const { field, column, id } = await findTarget(tx, input.target);
    if (input.target.productOfferingId) await refuseSupersededTarget(tx, input.target.productOfferingId);
    const attached = await tx.sql(
      `attach_entitlement_${column}`,
      `INSERT INTO entitlement_attachments (business_id, id, entitlement_id, ${column}, created_at)
       VALUES ($1, $2, $3, $4, $5) ON CONFLICT (business_id, ${column}, entitlement_id) DO NOTHING RETURNING id`,
      [tenantOf(ctx).businessId, newId(), entitlement.id, id, ctx.now],
    );
    if (attached.length > 0) await recordEntitlementUpdate(tx, entitlement.id, { after: { [field]: id } });
    return { entitlementId: entitlement.id };
  });
}

/** Locked, so that a revision made meanwhile either carries the entitlement over or is seen here. */
async function refuseSupersededTarget(tx: SqlTx, productOfferingId: string): Promise<void> {
  const offering = await lockShared(tx, 'ProductOffering', productOfferingId, 'USE');
  if (offering) await refuseSuperseded(tx, offering, ['input', 'target', 'productOfferingId']);
}
