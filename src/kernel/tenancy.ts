import { tenantOf, type RequestContext } from './requestContext.js';
import type { Model } from './rows.js';

/** What both modes share: these tables have no mode. */
const shared: ReadonlySet<Model> = new Set([
  'Brand',
  'Product',
  'ProductOffering',
  'ProductVersion',
  'Package',
  'PackagePrice',
  'SubscriptionType',
  'LicenseKeyPool',
  'Entitlement',
  'EntitlementAttachment',
]);

/** The column that says whose a row is, where a customer's session may see its own. */
const ownerColumns: Partial<Record<Model, string>> = {
  Activation: 'customer_id',
  Customer: 'id',
  CustomerSession: 'customer_id',
  Delivery: 'customer_id',
  DiscountRedemption: 'customer_id',
  Grant: 'customer_id',
  License: 'customer_id',
  LicenseKey: 'customer_id',
  LoginToken: 'customer_id',
  Order: 'customer_id',
  ProductKey: 'customer_id',
  ProductKeyStatement: 'customer_id',
  SlaBreach: 'customer_id',
  Wallet: 'customer_id',
};

/**
 * The equalities that every reading of a model carries: the business, the mode where the model has one, and for a session its
 * customer. All loaders and lists get their `where` from here, so a foreign row is one that does not exist.
 */
export function scopeOf(ctx: RequestContext, model: Model): Record<string, string> {
  if (model === 'Business') return ctx.viewer.principal === 'OPERATOR' ? {} : { id: tenantOf(ctx).businessId };
  if (ctx.viewer.principal === 'OPERATOR') return {};
  const { businessId, mode } = tenantOf(ctx);
  const owner = ownerColumns[model];
  return {
    business_id: businessId,
    ...(shared.has(model) ? {} : { mode }),
    ...(ctx.viewer.principal === 'CUSTOMER' && owner ? { [owner]: ctx.viewer.customerId } : {}),
  };
}
