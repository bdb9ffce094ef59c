import type { Scope } from '../generated/graphql.js';

/** Every scope, for keys that may do everything. `satisfies` keeps it complete: a scope of the SDL that is missing here does not compile. */
const table = {
  BUSINESS_READ: true,
  BUSINESS_WRITE: true,
  CATALOG_READ: true,
  CATALOG_WRITE: true,
  CUSTOMERS_READ: true,
  CUSTOMERS_WRITE: true,
  LICENSES_READ: true,
  LICENSES_WRITE: true,
  LICENSE_KEYS_READ: true,
  LICENSE_KEYS_WRITE: true,
  LICENSE_KEYS_REVEAL: true,
  GRANTS_READ: true,
  GRANTS_WRITE: true,
  GRANTS_FULFILL: true,
  WALLETS_READ: true,
  WALLETS_WRITE: true,
  ORDERS_READ: true,
  ORDERS_WRITE: true,
  PURCHASES_WRITE: true,
  PRICES_OVERRIDE: true,
  DISCOUNTS_READ: true,
  DISCOUNTS_WRITE: true,
  PRODUCT_KEYS_READ: true,
  PRODUCT_KEYS_WRITE: true,
  USAGE_WRITE: true,
  WEBHOOKS_READ: true,
  WEBHOOKS_WRITE: true,
  AUDIT_READ: true,
  AUDIT_WRITE: true,
} satisfies Record<Scope, true>;

export const allScopes = Object.keys(table) as Scope[];
