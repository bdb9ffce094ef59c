import { loadOne } from '../graphql/batching.js';
import type { RequestContext } from '../kernel/requestContext.js';

/** Organizations by id. */
export function organizationLoaders(ctx: RequestContext) {
  return { organizationById: loadOne(ctx, 'Organization') };
}
