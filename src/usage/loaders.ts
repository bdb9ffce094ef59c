import type { RequestContext } from '../kernel/requestContext.js';
import { usageByKey } from './usageByKey.js';

/** Usage of product keys for charts. */
export function usageLoaders(ctx: RequestContext) {
  return { usageByProductKey: usageByKey(ctx) };
}
