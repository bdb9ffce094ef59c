import { loadMany, loadOne } from '../graphql/batching.js';
import type { RequestContext } from '../kernel/requestContext.js';

/** Deliveries by id and by grant. */
export function deliveryLoaders(ctx: RequestContext) {
  return {
    deliveryById: loadOne(ctx, 'Delivery'),
    deliveriesByGrant: loadMany(ctx, 'Delivery', 'grantId'),
  };
}
