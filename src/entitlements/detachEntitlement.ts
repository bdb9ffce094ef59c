import type { DetachEntitlementInput } from '../generated/graphql.js';
import { tenantOf, type RequestContext } from '../kernel/requestContext.js';
import { inSqlTransaction } from '../kernel/transaction.js';
import { lockEntitlement } from './lockEntitlement.js';
import { recordEntitlementUpdate } from './recordEntitlementUpdate.js';
import { findTarget } from './target.js';

/**
 * Stops later licenses of a product, offering or package from granting an entitlement, an archived one too. Grants that were
 * issued stay; detaching what is not attached changes nothing.
 * @throws Refusal EntitlementNotFound, ProductNotFound, ProductOfferingNotFound, PackageNotFound, BrandMismatch when
 *   `Brand-URL` names another brand than the package's
 */
export async function detachEntitlement(
  ctx: RequestContext,
  input: DetachEntitlementInput,
): Promise<{ entitlementId: string }> {
  return inSqlTransaction(ctx, async (tx) => {
    const entitlement = await lockEntitlement(tx, input.entitlementId);
    const { field, column, id } = await findTarget(tx, input.target);
    const detached = await tx.sql(
      `detach_entitlement_${column}`,
      `DELETE FROM entitlement_attachments WHERE business_id = $1 AND ${column} = $2 AND entitlement_id = $3 RETURNING id`,
      [tenantOf(ctx).businessId, id, entitlement.id],
    );
    if (detached.length > 0) await recordEntitlementUpdate(tx, entitlement.id, { before: { [field]: id } });
    return { entitlementId: entitlement.id };
  });
}
