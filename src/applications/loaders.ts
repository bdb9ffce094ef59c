import { loadOne } from '../graphql/batching.js';
import type { RequestContext } from '../kernel/requestContext.js';

/** Applications by id. */
export function applicationLoaders(ctx: RequestContext) {
  return { applicationById: loadOne(ctx, 'Application') };
}
