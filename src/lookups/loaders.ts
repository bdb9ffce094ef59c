import DataLoader from 'dataloader';
import type { RequestContext } from '../kernel/requestContext.js';
import { keysShown } from './keysShown.js';

/** Keys of licenses, as the caller may see them: showing one in full is recorded. */
export function lookupLoaders(ctx: RequestContext) {
  return { keyShownByLicense: new DataLoader((ids: readonly string[]) => keysShown(ctx, ids)) };
}
