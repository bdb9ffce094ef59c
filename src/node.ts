import type { GraphQLContext } from './context.js';
import type { Resolvers, ResolversTypes, Scope } from './generated/graphql.js';
import { ClientError } from './kernel/clientError.js';
import { parseGlobalId, type IdType } from './kernel/id.js';

type NodeRow = Extract<ResolversTypes['Node'], { __typename: string }>;
type Load = (context: GraphQLContext, id: string) => Promise<object | null>;

/** How each type is fetched by id, and the scope that an API key needs for it: the one of the type's own root field. */
const fetchers: { [Type in IdType]: { scope: Scope; load: Load } } = {
  Activation: { scope: 'LICENSE_KEYS_READ', load: ({ loaders }, id) => loaders.activationById.load(id) },
  ApiKey: { scope: 'BUSINESS_READ', load: ({ loaders }, id) => loaders.apiKeyById.load(id) },
  Application: { scope: 'PRODUCT_KEYS_READ', load: ({ loaders }, id) => loaders.applicationById.load(id) },
  Brand: { scope: 'BUSINESS_READ', load: ({ loaders }, id) => loaders.brandById.load(id) },
  Business: { scope: 'BUSINESS_READ', load: ({ loaders }, id) => loaders.businessById.load(id) },
  Change: { scope: 'AUDIT_READ', load: ({ loaders }, id) => loaders.changeById.load(id) },
  Customer: { scope: 'CUSTOMERS_READ', load: ({ loaders }, id) => loaders.customerById.load(id) },
  CustomerSession: { scope: 'CUSTOMERS_READ', load: ({ loaders }, id) => loaders.customerSessionById.load(id) },
  Delivery: { scope: 'GRANTS_READ', load: ({ loaders }, id) => loaders.deliveryById.load(id) },
  Discount: { scope: 'DISCOUNTS_READ', load: ({ loaders }, id) => loaders.discountById.load(id) },
  DiscountCode: { scope: 'DISCOUNTS_READ', load: ({ loaders }, id) => loaders.discountCodeById.load(id) },
  DiscountRedemption: { scope: 'DISCOUNTS_READ', load: ({ loaders }, id) => loaders.discountRedemptionById.load(id) },
  Entitlement: { scope: 'CATALOG_READ', load: ({ loaders }, id) => loaders.entitlementById.load(id) },
  Grant: { scope: 'GRANTS_READ', load: ({ loaders }, id) => loaders.grantById.load(id) },
  LedgerEntry: { scope: 'WALLETS_READ', load: ({ loaders }, id) => loaders.ledgerEntryById.load(id) },
  LedgerTransaction: { scope: 'WALLETS_READ', load: ({ loaders }, id) => loaders.ledgerTransactionById.load(id) },
  License: { scope: 'LICENSES_READ', load: ({ loaders }, id) => loaders.licenseById.load(id) },
  LicenseKey: { scope: 'LICENSE_KEYS_READ', load: ({ loaders }, id) => loaders.licenseKeyById.load(id) },
  LicenseKeyPool: { scope: 'LICENSE_KEYS_READ', load: ({ loaders }, id) => loaders.licenseKeyPoolById.load(id) },
  LoginToken: { scope: 'CUSTOMERS_READ', load: ({ loaders }, id) => loaders.loginTokenById.load(id) },
  Order: { scope: 'ORDERS_READ', load: ({ loaders }, id) => loaders.orderById.load(id) },
  OrderLine: { scope: 'ORDERS_READ', load: ({ loaders }, id) => loaders.orderLineById.load(id) },
  Organization: { scope: 'CUSTOMERS_READ', load: ({ loaders }, id) => loaders.organizationById.load(id) },
  Package: { scope: 'CATALOG_READ', load: ({ loaders }, id) => loaders.packageById.load(id) },
  PackagePrice: { scope: 'CATALOG_READ', load: ({ loaders }, id) => loaders.packagePriceById.load(id) },
  PricingRule: { scope: 'PRODUCT_KEYS_READ', load: ({ loaders }, id) => loaders.pricingRuleById.load(id) },
  Product: { scope: 'CATALOG_READ', load: ({ loaders }, id) => loaders.productById.load(id) },
  ProductKey: { scope: 'PRODUCT_KEYS_READ', load: ({ loaders }, id) => loaders.productKeyById.load(id) },
  ProductKeyStatement: {
    scope: 'PRODUCT_KEYS_READ',
    load: ({ loaders }, id) => loaders.productKeyStatementById.load(id),
  },
  ProductOffering: { scope: 'CATALOG_READ', load: ({ loaders }, id) => loaders.productOfferingById.load(id) },
  ProductVersion: { scope: 'CATALOG_READ', load: ({ loaders }, id) => loaders.productVersionById.load(id) },
  SigningKey: { scope: 'BUSINESS_READ', load: ({ loaders }, id) => loaders.signingKeyById.load(id) },
  SlaBreach: { scope: 'PRODUCT_KEYS_READ', load: ({ loaders }, id) => loaders.slaBreachById.load(id) },
  SlaDefinition: { scope: 'PRODUCT_KEYS_READ', load: ({ loaders }, id) => loaders.slaDefinitionById.load(id) },
  SlaDefinitionVersion: { scope: 'PRODUCT_KEYS_READ', load: ({ loaders }, id) => loaders.slaVersionById.load(id) },
  SubscriptionType: { scope: 'CATALOG_READ', load: ({ loaders }, id) => loaders.subscriptionTypeById.load(id) },
  Wallet: { scope: 'WALLETS_READ', load: ({ loaders }, id) => loaders.walletById.load(id) },
};

/** What a session may fetch by id: its own objects, which carry its customer's id. Everything else is null to it. */
const ownable: ReadonlySet<IdType> = new Set([
  'Activation',
  'Customer',
  'CustomerSession',
  'Delivery',
  'DiscountRedemption',
  'Grant',
  'License',
  'LicenseKey',
  'LoginToken',
  'Order',
  'ProductKey',
  'ProductKeyStatement',
  'SlaBreach',
  'Wallet',
]);

async function fetchNode(context: GraphQLContext, id: string): Promise<NodeRow | null> {
  const parsed = parseGlobalId(id);
  if (!parsed) return null;
  const { viewer } = context.request;
  const { scope, load } = fetchers[parsed.type];
  if (viewer.principal === 'CUSTOMER' && !ownable.has(parsed.type)) return null;
  // The answer depends on the id's type alone, never on whether the object exists.
  if (viewer.principal === 'API_KEY' && !viewer.scopes.has(scope)) {
    if (context.denied.has(scope)) return null;
    context.denied.add(scope);
    throw new ClientError('FORBIDDEN', `The API key lacks ${scope}.`, { requiredScopes: [scope] });
  }
  const row = await load(context, parsed.uuid);
  return row && ({ ...row, __typename: parsed.type } as NodeRow);
}

export const nodeResolvers = {
  Query: {
    node: (_, { id }, context) => fetchNode(context, id),
    nodes: (_, { ids }, context) => {
      if (ids.length > 100) throw new ClientError('BAD_USER_INPUT', 'Give at most 100 ids.', { argument: 'ids' });
      // Each id has its own outcome: one that is not allowed leaves the others.
      return ids.map((id) => fetchNode(context, id)) as Promise<NodeRow>[];
    },
  },
} satisfies Resolvers;
