import { accountLoaders } from './accounts/loaders.js';
import { activationLoaders } from './activations/loaders.js';
import { applicationLoaders } from './applications/loaders.js';
import { catalogLoaders } from './catalog/loaders.js';
import { customerLoaders } from './customers/loaders.js';
import { discountLoaders } from './discounts/loaders.js';
import { entitlementLoaders } from './entitlements/loaders.js';
import { eventLoaders } from './events/loaders.js';
import { deliveryLoaders } from './mail/loaders.js';
import { grantLoaders } from './grants/loaders.js';
import { licenseFileLoaders } from './licenseFiles/loaders.js';
import { licenseKeyLoaders } from './licenseKeys/loaders.js';
import { licenseLoaders } from './licenses/loaders.js';
import { orderLoaders } from './orders/loaders.js';
import { loginTokenLoaders } from './loginTokens/loaders.js';
import { lookupLoaders } from './lookups/loaders.js';
import { organizationLoaders } from './organizations/loaders.js';
import { pricingLoaders } from './pricing/loaders.js';
import { productKeyLoaders } from './productKeys/loaders.js';
import { statementLoaders } from './statements/loaders.js';
import { slaLoaders } from './sla/loaders.js';
import { slaDefinitionLoaders } from './slaDefinitions/loaders.js';
import { usageLoaders } from './usage/loaders.js';
import { walletLoaders } from './wallets/loaders.js';
import { wholeRows, type Columns } from './kernel/columns.js';
import type { RequestContext } from './kernel/requestContext.js';

const features = [
  accountLoaders,
  activationLoaders,
  applicationLoaders,
  catalogLoaders,
  customerLoaders,
  discountLoaders,
  entitlementLoaders,
  eventLoaders,
  deliveryLoaders,
  grantLoaders,
  licenseFileLoaders,
  licenseKeyLoaders,
  licenseLoaders,
  loginTokenLoaders,
  lookupLoaders,
  orderLoaders,
  organizationLoaders,
  pricingLoaders,
  productKeyLoaders,
  statementLoaders,
  slaDefinitionLoaders,
  slaLoaders,
  usageLoaders,
  walletLoaders,
] as const;

type All<Makers> = Makers extends readonly [infer First, ...infer Rest]
  ? (First extends (ctx: RequestContext, columns: Columns) => infer Made ? Made : never) & All<Rest>
  : unknown;

/** All features' loaders. */
export type Loaders = All<typeof features>;

/** A request's loaders by feature, made when the first of them is asked for: most requests need two features' of a dozen. */
class LazyLoaders {
  readonly made: object[] = [];
  constructor(
    readonly ctx: RequestContext,
    readonly columns: Columns,
  ) {}
}

// Which loaders there are is known once they have been made; making them reads nothing of the request.
features.forEach((make, i) => {
  for (const name of Object.keys(make({} as RequestContext, wholeRows))) {
    Object.defineProperty(LazyLoaders.prototype, name, {
      get(this: LazyLoaders) {
        return ((this.made[i] ??= make(this.ctx, this.columns)) as Record<string, unknown>)[name];
      },
    });
  }
});

/** The loaders of one request; after each mutation it gets new ones. @param columns what they read of rows */
export function createLoaders(ctx: RequestContext, columns: Columns): Loaders {
  return new LazyLoaders(ctx, columns) as unknown as Loaders;
}
