import { accessResolvers } from './access/resolvers.js';
import { accountResolvers } from './accounts/resolvers.js';
import { activationResolvers } from './activations/resolvers.js';
import { applicationResolvers } from './applications/resolvers.js';
import { catalogResolvers } from './catalog/resolvers.js';
import { customerResolvers } from './customers/resolvers.js';
import { discountResolvers } from './discounts/resolvers.js';
import { entitlementResolvers } from './entitlements/resolvers.js';
import { eventResolvers } from './events/resolvers.js';
import type { Resolvers } from './generated/graphql.js';
import { grantResolvers } from './grants/resolvers.js';
import { licenseFileResolvers } from './licenseFiles/resolvers.js';
import { licenseKeyResolvers } from './licenseKeys/resolvers.js';
import { licenseResolvers } from './licenses/resolvers.js';
import { loginTokenResolvers } from './loginTokens/resolvers.js';
import { lookupResolvers } from './lookups/resolvers.js';
import { deliveryResolvers } from './mail/resolvers.js';
import { nodeResolvers } from './node.js';
import { erasureResolvers } from './erasure/resolvers.js';
import { organizationResolvers } from './organizations/resolvers.js';
import { orderResolvers } from './orders/resolvers.js';
import { pricingResolvers } from './pricing/resolvers.js';
import { productKeyResolvers } from './productKeys/resolvers.js';
import { purchaseResolvers } from './purchases/resolvers.js';
import { statementResolvers } from './statements/resolvers.js';
import { slaResolvers } from './sla/resolvers.js';
import { slaDefinitionResolvers } from './slaDefinitions/resolvers.js';
import { usageResolvers } from './usage/resolvers.js';
import { validationResolvers } from './validation/resolvers.js';
import { walletResolvers } from './wallets/resolvers.js';

/** All features' resolvers; every feature may add fields to `Query` and `Mutation`. */
export const resolvers = merged([
  nodeResolvers,
  accessResolvers,
  accountResolvers,
  activationResolvers,
  applicationResolvers,
  catalogResolvers,
  customerResolvers,
  discountResolvers,
  entitlementResolvers,
  erasureResolvers,
  eventResolvers,
  deliveryResolvers,
  grantResolvers,
  licenseFileResolvers,
  licenseKeyResolvers,
  licenseResolvers,
  loginTokenResolvers,
  lookupResolvers,
  orderResolvers,
  organizationResolvers,
  pricingResolvers,
  productKeyResolvers,
  purchaseResolvers,
  statementResolvers,
  slaDefinitionResolvers,
  slaResolvers,
  usageResolvers,
  validationResolvers,
  walletResolvers,
]);

/** @throws Error naming the coordinate when two features resolve the same field */
function merged(features: Resolvers[]): Record<string, Record<string, unknown>> {
  const all: Record<string, Record<string, unknown>> = {};
  for (const feature of features) {
    for (const [type, fields] of Object.entries(feature)) {
      const target = (all[type] ??= {});
      for (const [field, resolve] of Object.entries(fields as Record<string, unknown>)) {
        if (field in target) throw new Error(`${type}.${field} is resolved twice`);
        target[field] = resolve;
      }
    }
  }
  return all;
}
