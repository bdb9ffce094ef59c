import type { Prisma } from '../generated/prisma/client.js';

/** Rows to insert, by table, in camelCase. */
export interface InsertableRows {
  activations: Prisma.ActivationCreateManyInput;
  changes: Prisma.ChangeCreateManyInput;
  deliveries: Prisma.DeliveryCreateManyInput;
  discount_codes: Prisma.DiscountCodeCreateManyInput;
  discount_redemptions: Prisma.DiscountRedemptionCreateManyInput;
  discounts: Prisma.DiscountCreateManyInput;
  grants: Prisma.GrantCreateManyInput;
  ledger_accounts: Prisma.LedgerAccountCreateManyInput;
  license_key_bindings: Prisma.LicenseKeyBindingCreateManyInput;
  license_key_lookups: Prisma.LicenseKeyLookupCreateManyInput;
  license_key_pool_keys: Prisma.LicenseKeyPoolKeyCreateManyInput;
  license_key_rotations: Prisma.LicenseKeyRotationCreateManyInput;
  license_keys: Prisma.LicenseKeyCreateManyInput;
  licenses: Prisma.LicenseCreateManyInput;
  order_lines: Prisma.OrderLineCreateManyInput;
  orders: Prisma.OrderCreateManyInput;
  pricing_rule_versions: Prisma.PricingRuleVersionCreateManyInput;
  pricing_rules: Prisma.PricingRuleCreateManyInput;
  product_key_addresses: Prisma.ProductKeyAddressCreateManyInput;
  product_key_applications: Prisma.ProductKeyApplicationCreateManyInput;
  product_key_discounts: Prisma.ProductKeyDiscountCreateManyInput;
  product_key_lookups: Prisma.ProductKeyLookupCreateManyInput;
  product_key_meters: Prisma.ProductKeyMeterCreateManyInput;
  product_key_organizations: Prisma.ProductKeyOrganizationCreateManyInput;
  product_key_payments: Prisma.ProductKeyPaymentCreateManyInput;
  product_key_pricing_rules: Prisma.ProductKeyPricingRuleCreateManyInput;
  product_key_products: Prisma.ProductKeyProductCreateManyInput;
  product_key_rotations: Prisma.ProductKeyRotationCreateManyInput;
  product_key_slas: Prisma.ProductKeySlaCreateManyInput;
  product_key_statements: Prisma.ProductKeyStatementCreateManyInput;
  product_key_usages: Prisma.ProductKeyUsageCreateManyInput;
  product_keys: Prisma.ProductKeyCreateManyInput;
  sla_breach_credits: Prisma.SlaBreachCreditCreateManyInput;
  sla_breaches: Prisma.SlaBreachCreateManyInput;
  sla_definition_versions: Prisma.SlaDefinitionVersionCreateManyInput;
  sla_definitions: Prisma.SlaDefinitionCreateManyInput;
  wallets: Prisma.WalletCreateManyInput;
}
