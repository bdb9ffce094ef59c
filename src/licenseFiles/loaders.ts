import DataLoader from 'dataloader';
import { loadOne } from '../graphql/batching.js';
import type { RequestContext } from '../kernel/requestContext.js';
import { offlineUntil } from './offlineUntil.js';

/** Signing keys by id, and until when keys' files allow to run. */
export function licenseFileLoaders(ctx: RequestContext) {
  return {
    signingKeyById: loadOne(ctx, 'SigningKey'),
    offlineUntilByKey: new DataLoader<string, Date | null>((ids) => offlineUntil(ctx, ids)),
  };
}
