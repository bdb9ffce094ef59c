import { loadOne } from '../graphql/batching.js';
import type { RequestContext } from '../kernel/requestContext.js';
import { versionsByRule } from './loadRuleVersions.js';

/** Pricing rules by id, and their versions. */
export function pricingLoaders(ctx: RequestContext) {
  return {
    pricingRuleById: loadOne(ctx, 'PricingRule'),
    versionsByPricingRule: versionsByRule(ctx),
  };
}
