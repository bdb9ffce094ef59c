import { Prisma } from '../generated/prisma/client.js';
import type * as Rows from '../generated/prisma/client.js';

/** Models whose rows prepared statements read, each with its table. A row read this way is exactly the row Prisma reads. */
export const tables = {
  Activation: 'activations',
  ApiKey: 'api_keys',
  Application: 'applications',
  Brand: 'brands',
  Business: 'businesses',
  Change: 'changes',
  Customer: 'customers',
  CustomerSession: 'customer_sessions',
  Delivery: 'deliveries',
  Discount: 'discounts',
  DiscountCode: 'discount_codes',
  DiscountRedemption: 'discount_redemptions',
  Entitlement: 'entitlements',
  EntitlementAttachment: 'entitlement_attachments',
  Grant: 'grants',
  LedgerTransaction: 'ledger_transactions',
  LedgerTransfer: 'ledger_transfers',
  License: 'licenses',
  LicenseKey: 'license_keys',
  LicenseKeyPool: 'license_key_pools',
  LicenseKeyRotation: 'license_key_rotations',
  LoginToken: 'login_tokens',
  Order: 'orders',
  OrderLine: 'order_lines',
  Organization: 'organizations',
  Package: 'packages',
  PackagePrice: 'package_prices',
  PricingRule: 'pricing_rules',
  Product: 'products',
  ProductKey: 'product_keys',
  ProductKeyDiscount: 'product_key_discounts',
  ProductKeyMeter: 'product_key_meters',
  ProductKeyPayment: 'product_key_payments',
  ProductKeyRotation: 'product_key_rotations',
  ProductKeySla: 'product_key_slas',
  ProductKeyStatement: 'product_key_statements',
  ProductOffering: 'product_offerings',
  ProductVersion: 'product_versions',
  SigningKey: 'signing_keys',
  SlaBreach: 'sla_breaches',
  SlaDefinition: 'sla_definitions',
  SlaDefinitionVersion: 'sla_definition_versions',
  SubscriptionType: 'subscription_types',
  Wallet: 'wallets',
} as const;

/** Names of those models. */
export type Model = keyof typeof tables;

interface RowTypes {
  Activation: Rows.Activation;
  ApiKey: Rows.ApiKey;
  Application: Rows.Application;
  Brand: Rows.Brand;
  Business: Rows.Business;
  Change: Rows.Change;
  Customer: Rows.Customer;
  CustomerSession: Rows.CustomerSession;
  Delivery: Rows.Delivery;
  Discount: Rows.Discount;
  DiscountCode: Rows.DiscountCode;
  DiscountRedemption: Rows.DiscountRedemption;
  Entitlement: Rows.Entitlement;
  EntitlementAttachment: Rows.EntitlementAttachment;
  Grant: Rows.Grant;
  LedgerTransaction: Rows.LedgerTransaction;
  LedgerTransfer: Rows.LedgerTransfer;
  License: Rows.License;
  LicenseKey: Rows.LicenseKey;
  LicenseKeyPool: Rows.LicenseKeyPool;
  LicenseKeyRotation: Rows.LicenseKeyRotation;
  LoginToken: Rows.LoginToken;
  Order: Rows.Order;
  OrderLine: Rows.OrderLine;
  Organization: Rows.Organization;
  Package: Rows.Package;
  PackagePrice: Rows.PackagePrice;
  PricingRule: Rows.PricingRule;
  Product: Rows.Product;
  ProductKey: Rows.ProductKey;
  ProductKeyDiscount: Rows.ProductKeyDiscount;
  ProductKeyMeter: Rows.ProductKeyMeter;
  ProductKeyPayment: Rows.ProductKeyPayment;
  ProductKeyRotation: Rows.ProductKeyRotation;
  ProductKeySla: Rows.ProductKeySla;
  ProductKeyStatement: Rows.ProductKeyStatement;
  ProductOffering: Rows.ProductOffering;
  ProductVersion: Rows.ProductVersion;
  SigningKey: Rows.SigningKey;
  SlaBreach: Rows.SlaBreach;
  SlaDefinition: Rows.SlaDefinition;
  SlaDefinitionVersion: Rows.SlaDefinitionVersion;
  SubscriptionType: Rows.SubscriptionType;
  Wallet: Rows.Wallet;
}

/** A row of a model, in camelCase. */
export type RowOf<M extends Model> = RowTypes[M];

const fieldNames: { [M in Model]: Record<string, string> } = {
  Activation: Prisma.ActivationScalarFieldEnum,
  ApiKey: Prisma.ApiKeyScalarFieldEnum,
  Application: Prisma.ApplicationScalarFieldEnum,
  Brand: Prisma.BrandScalarFieldEnum,
  Business: Prisma.BusinessScalarFieldEnum,
  Change: Prisma.ChangeScalarFieldEnum,
  Customer: Prisma.CustomerScalarFieldEnum,
  CustomerSession: Prisma.CustomerSessionScalarFieldEnum,
  Delivery: Prisma.DeliveryScalarFieldEnum,
  Discount: Prisma.DiscountScalarFieldEnum,
  DiscountCode: Prisma.DiscountCodeScalarFieldEnum,
  DiscountRedemption: Prisma.DiscountRedemptionScalarFieldEnum,
  Entitlement: Prisma.EntitlementScalarFieldEnum,
  EntitlementAttachment: Prisma.EntitlementAttachmentScalarFieldEnum,
  Grant: Prisma.GrantScalarFieldEnum,
  LedgerTransaction: Prisma.LedgerTransactionScalarFieldEnum,
  LedgerTransfer: Prisma.LedgerTransferScalarFieldEnum,
  License: Prisma.LicenseScalarFieldEnum,
  LicenseKey: Prisma.LicenseKeyScalarFieldEnum,
  LicenseKeyPool: Prisma.LicenseKeyPoolScalarFieldEnum,
  LicenseKeyRotation: Prisma.LicenseKeyRotationScalarFieldEnum,
  LoginToken: Prisma.LoginTokenScalarFieldEnum,
  Order: Prisma.OrderScalarFieldEnum,
  OrderLine: Prisma.OrderLineScalarFieldEnum,
  Organization: Prisma.OrganizationScalarFieldEnum,
  Package: Prisma.PackageScalarFieldEnum,
  PackagePrice: Prisma.PackagePriceScalarFieldEnum,
  PricingRule: Prisma.PricingRuleScalarFieldEnum,
  Product: Prisma.ProductScalarFieldEnum,
  ProductKey: Prisma.ProductKeyScalarFieldEnum,
  ProductKeyDiscount: Prisma.ProductKeyDiscountScalarFieldEnum,
  ProductKeyMeter: Prisma.ProductKeyMeterScalarFieldEnum,
  ProductKeyPayment: Prisma.ProductKeyPaymentScalarFieldEnum,
  ProductKeyRotation: Prisma.ProductKeyRotationScalarFieldEnum,
  ProductKeySla: Prisma.ProductKeySlaScalarFieldEnum,
  ProductKeyStatement: Prisma.ProductKeyStatementScalarFieldEnum,
  ProductOffering: Prisma.ProductOfferingScalarFieldEnum,
  ProductVersion: Prisma.ProductVersionScalarFieldEnum,
  SigningKey: Prisma.SigningKeyScalarFieldEnum,
  SlaBreach: Prisma.SlaBreachScalarFieldEnum,
  SlaDefinition: Prisma.SlaDefinitionScalarFieldEnum,
  SlaDefinitionVersion: Prisma.SlaDefinitionVersionScalarFieldEnum,
  SubscriptionType: Prisma.SubscriptionTypeScalarFieldEnum,
  Wallet: Prisma.WalletScalarFieldEnum,
};

/** The names of a model's columns in camelCase, in order. */
export function fieldsOf(model: Model): readonly string[] {
  return Object.values(fieldNames[model]);
}

const columnNames = new Map<string, string>();

/** camelCase to snake_case; the Prisma schema maps every field by this one rule. @param field of a model: all are remembered */
export function columnName(field: string): string {
  let name = columnNames.get(field);
  if (name === undefined) {
    name = field.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
    columnNames.set(field, name);
  }
  return name;
}

const selections = new Map<string, string>();

/** The select list that reads a model's row in camelCase, its columns qualified by an alias when one is given. */
export function columnsOf(model: Model, alias?: string): string {
  const cacheKey = `${alias ?? ''}.${model}`;
  let selection = selections.get(cacheKey);
  if (!selection) {
    const qualifier = alias ? `${alias}.` : '';
    selection = fieldsOf(model)
      .map((field) => `${qualifier}${columnName(field)} AS "${field}"`)
      .join(', ');
    selections.set(cacheKey, selection);
  }
  return selection;
}
