import { accountLoaders } from './accounts/loaders.js';
import { activationLoaders } from './activations/loaders.js';
import { catalogLoaders } from './catalog/loaders.js';
import { customerLoaders } from './customers/loaders.js';
import { entitlementLoaders } from './entitlements/loaders.js';
import { eventLoaders } from './events/loaders.js';
import { deliveryLoaders } from './mail/loaders.js';
import { grantLoaders } from './grants/loaders.js';
import { licenseKeyLoaders } from './licenseKeys/loaders.js';
import { licenseLoaders } from './licenses/loaders.js';
import { orderLoaders } from './orders/loaders.js';
import { walletLoaders } from './wallets/loaders.js';
import type { RequestContext } from './kernel/requestContext.js';

/** All features' loaders, made for one request and made anew after each mutation. */
export function createLoaders(ctx: RequestContext) {
  return {
    ...accountLoaders(ctx),
    ...activationLoaders(ctx),
    ...catalogLoaders(ctx),
    ...customerLoaders(ctx),
    ...entitlementLoaders(ctx),
    ...eventLoaders(ctx),
    ...deliveryLoaders(ctx),
    ...grantLoaders(ctx),
    ...licenseKeyLoaders(ctx),
    ...licenseLoaders(ctx),
    ...orderLoaders(ctx),
    ...walletLoaders(ctx),
  };
}

export type Loaders = ReturnType<typeof createLoaders>;
