import { loadOne } from '../graphql/batching.js';
import type { RequestContext } from '../kernel/requestContext.js';

/** Customers by id. */
export function customerLoaders(ctx: RequestContext) {
  return { customerById: loadOne(ctx, 'Customer') };
}
