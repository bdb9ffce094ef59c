import { loadMany, loadOne } from '../graphql/batching.js';
import type { RequestContext } from '../kernel/requestContext.js';

/** Accounts by id, and a business's brands, the primary one first. */
export function accountLoaders(ctx: RequestContext) {
  return {
    businessById: loadOne(ctx, 'Business'),
    brandById: loadOne(ctx, 'Brand'),
    brandsByBusiness: loadMany(ctx, 'Brand', 'businessId', 't.is_primary DESC, t.created_at, t.id'),
    apiKeyById: loadOne(ctx, 'ApiKey'),
    customerSessionById: loadOne(ctx, 'CustomerSession'),
  };
}
