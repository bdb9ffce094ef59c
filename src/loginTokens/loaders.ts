import { loadOne } from '../graphql/batching.js';
import type { RequestContext } from '../kernel/requestContext.js';

/** Login tokens by id, without their texts: those are not kept. */
export function loginTokenLoaders(ctx: RequestContext) {
  return { loginTokenById: loadOne(ctx, 'LoginToken') };
}
