import { tenantOf } from '../kernel/requestContext.js';
import type { SqlTx } from '../kernel/transaction.js';
import type { WantedPurchase } from './wantedPurchase.js';

/** What takes part in a purchase; null where it is not there. */
export interface PurchaseParts {
  readonly wallet: { id: string; customerId: string; brandId: string; currency: string; balanceMinor: bigint } | null;
  readonly package: { id: string; brandId: string; productId: string; sku: string; isArchived: boolean } | null;
  readonly subscriptionType: { id: string; days: number; isArchived: boolean } | null;
  /** The catalog's price of one, in minor units, in the currency that was asked for. */
  readonly price: bigint | null;
  readonly customerById: PurchaseCustomer | null;
  /** The customer with this code, else with this number. */
  readonly customerByCode: PurchaseCustomer | null;
}

/** Whose the licenses shall be. */
export interface PurchaseCustomer {
  readonly id: string;
  readonly brandId: string;
  readonly email: string | null;
  readonly erasedAt: Date | null;
}

interface PartsRow {
  walletId: string | null;
  walletCustomerId: string;
  walletBrandId: string;
  walletCurrency: string;
  walletBalance: bigint;
  packageId: string | null;
  packageBrandId: string;
  productId: string;
  sku: string;
  packageArchived: boolean;
  typeArchived: boolean;
  subscriptionTypeId: string | null;
  days: number;
  price: bigint | null;
  idId: string | null;
  idBrandId: string;
  idEmail: string | null;
  idErasedAt: Date | null;
  codeId: string | null;
  codeBrandId: string;
  codeEmail: string | null;
  codeErasedAt: Date | null;
}

// The package is locked as its license's foreign key will lock it: from here on it stays a package of this product.
const text = `WITH package AS (SELECT * FROM packages WHERE business_id = $1 AND id = $4 FOR KEY SHARE)
  SELECT w.id AS "walletId", w.customer_id AS "walletCustomerId", w.brand_id AS "walletBrandId",
    w.currency AS "walletCurrency", w.balance_minor AS "walletBalance",
    p.id AS "packageId", p.brand_id AS "packageBrandId", product.id AS "productId", product.sku,
    p.archived_at IS NOT NULL OR product.archived_at IS NOT NULL AS "packageArchived",
    s.archived_at IS NOT NULL AS "typeArchived", s.id AS "subscriptionTypeId", s.days, price.amount_minor AS price,
    by_id.id AS "idId", by_id.brand_id AS "idBrandId", by_id.email AS "idEmail", by_id.erased_at AS "idErasedAt",
    by_code.id AS "codeId", by_code.brand_id AS "codeBrandId", by_code.email AS "codeEmail",
    by_code.erased_at AS "codeErasedAt"
  FROM (VALUES (1)) AS one (row)
  LEFT JOIN wallets w ON w.business_id = $1 AND w.mode = $2 AND w.id = $3
  LEFT JOIN package p ON true
  LEFT JOIN products product ON product.business_id = $1 AND product.id = p.primary_product_id
  LEFT JOIN subscription_types s ON s.business_id = $1 AND s.id = $5
  LEFT JOIN package_prices price ON price.business_id = $1 AND price.package_id = p.id
    AND price.subscription_type_id = s.id AND price.currency = $6 AND price.archived_at IS NULL
  LEFT JOIN customers by_id ON by_id.business_id = $1 AND by_id.mode = $2 AND by_id.id = $7
  LEFT JOIN LATERAL (
    SELECT c.id, c.brand_id, c.email, c.erased_at FROM customers c
     WHERE c.business_id = $1 AND c.mode = $2 AND (c.code = $8 OR c.number = $8)
     ORDER BY c.code = $8 DESC NULLS LAST LIMIT 1
  ) by_code ON true`;

/** A step: everything that a purchase names, in one statement. */
export async function findPurchaseParts(tx: SqlTx, wanted: WantedPurchase): Promise<PurchaseParts> {
  const { businessId, mode } = tenantOf(tx.ctx);
  const { walletId, packageId, subscriptionTypeId, currency, customerId, customerCode } = wanted;
  const values = [businessId, mode, walletId, packageId, subscriptionTypeId, currency, customerId, customerCode];
  const [row] = await tx.sql<PartsRow>('find_purchase_parts', text, values);
  return partsOf(row as PartsRow);
}

function partsOf(row: PartsRow): PurchaseParts {
  return {
    wallet: row.walletId === null ? null : walletOf(row, row.walletId),
    package:
      row.packageId === null
        ? null
        : {
            id: row.packageId,
            brandId: row.packageBrandId,
            productId: row.productId,
            sku: row.sku,
            isArchived: row.packageArchived,
          },
    subscriptionType:
      row.subscriptionTypeId === null
        ? null
        : { id: row.subscriptionTypeId, days: row.days, isArchived: row.typeArchived },
    price: row.price,
    customerById:
      row.idId === null ? null : { id: row.idId, brandId: row.idBrandId, email: row.idEmail, erasedAt: row.idErasedAt },
    customerByCode:
      row.codeId === null
        ? null
        : { id: row.codeId, brandId: row.codeBrandId, email: row.codeEmail, erasedAt: row.codeErasedAt },
  };
}

function walletOf(row: PartsRow, id: string): NonNullable<PurchaseParts['wallet']> {
  const { walletCustomerId: customerId, walletBrandId: brandId } = row;
  return { id, customerId, brandId, currency: row.walletCurrency, balanceMinor: row.walletBalance };
}
