import { loadMany, loadOne } from '../graphql/batching.js';
import type { RequestContext } from '../kernel/requestContext.js';

/** Deliveries by id, by grant and by license key. */
export function deliveryLoaders(ctx: RequestContext) {
  return {
    deliveryById: loadOne(ctx, 'Delivery'),
    deliveriesByGrant: loadMany(ctx, 'Delivery', 'grantId'),
    deliveriesByProductKey: loadMany(ctx, 'Delivery', 'productKeyId'),
    deliveriesByKey: loadMany(ctx, 'Delivery', 'licenseKeyId'),
  };
}
