import { loadOne, loadThrough } from '../graphql/batching.js';
import type { RequestContext } from '../kernel/requestContext.js';

/** Entitlements by id, and those that later licenses of a product, offering or package grant: archived ones are none. */
export function entitlementLoaders(ctx: RequestContext) {
  const attachedTo = (parent: string) =>
    loadThrough(ctx, 'Entitlement', {
      table: 'entitlement_attachments',
      parent,
      child: 'entitlement_id',
      where: 't.archived_at IS NULL',
      order: 'j.created_at, t.id',
    });
  return {
    entitlementById: loadOne(ctx, 'Entitlement'),
    entitlementsByProduct: attachedTo('product_id'),
    entitlementsByOffering: attachedTo('product_offering_id'),
    entitlementsByPackage: attachedTo('package_id'),
  };
}
