import { loadOne, loadPage } from '../graphql/batching.js';
import type { RequestContext } from '../kernel/requestContext.js';
import { changeList } from './listChanges.js';

/** Changes by id, and an object's history. */
export function eventLoaders(ctx: RequestContext) {
  return {
    changeById: loadOne(ctx, 'Change'),
    changesByObject: loadPage(ctx, 'objectId', changeList),
  };
}
