import { archivedPackage, archivedProductOffering, archivedSubscriptionType } from '../catalog/archived.js';
import { missingPackage, missingProductOffering, missingSubscriptionType } from '../catalog/notFound.js';
import type { ProductOfferingStatus } from '../generated/prisma/client.js';
import { refuseOtherBrands } from '../kernel/brand.js';
import { refuseErased } from '../kernel/erased.js';
import { missing } from '../kernel/missing.js';
import { Refusal, refusal } from '../kernel/refusal.js';
import { tenantOf } from '../kernel/requestContext.js';
import type { SqlReader } from '../kernel/transaction.js';
import type { Sale, SaleLine } from './applyDiscounts.js';

/** What shall be sold: a package for a duration, or an offering. */
export interface WantedSale {
  readonly packageId: string | null;
  readonly subscriptionTypeId: string | null;
  readonly productOfferingId: string | null;
  readonly currency: string;
  readonly quantity: number;
  readonly customerId: string;
}

/**
 * A step: a sale at the catalog's price.
 * @throws Refusal PackageNotFound, PackageArchived, SubscriptionTypeNotFound, SubscriptionTypeArchived, PriceNotFound,
 *   ProductOfferingNotFound, ProductOfferingUnavailable, CurrencyMismatch, CustomerNotFound, ModeMismatch, BrandMismatch,
 *   CustomerErased
 */
export async function findSale(reader: SqlReader, wanted: WantedSale): Promise<Sale> {
  const { now } = reader.ctx;
  const { businessId, mode } = tenantOf(reader.ctx);
  const { customerId, currency, productOfferingId } = wanted;
  const found =
    productOfferingId === null
      ? await packageLine(reader, wanted)
      : { line: await offeringLine(reader, wanted, productOfferingId), brandId: null };
  const path = ['input', 'customerId'];
  const [customer] = await reader.sql<{ brandId: string; erasedAt: Date | null }>(
    'customer_of_sale',
    `SELECT brand_id AS "brandId", erased_at AS "erasedAt" FROM customers WHERE business_id = $1 AND mode = $2 AND id = $3`,
    [businessId, mode, customerId],
  );
  if (!customer) {
    throw await missing(reader, 'Customer', customerId, path, 'CustomerNotFound', 'There is no customer with this id.');
  }
  const objects = [{ brandId: customer.brandId, path }];
  if (found.brandId !== null) objects.unshift({ brandId: found.brandId, path: ['input', 'packageId'] });
  refuseOtherBrands(reader.ctx, ...objects);
  refuseErased(customer, path);
  return { now, customerId, currency, lines: [found.line] };
}

interface PackageRow {
  packageId: string | null;
  brandId: string;
  productId: string;
  isArchived: boolean;
  subscriptionTypeId: string | null;
  typeArchived: boolean;
  price: bigint | null;
}

const packageText = `SELECT p.id AS "packageId", p.brand_id AS "brandId", product.id AS "productId",
    p.archived_at IS NOT NULL OR product.archived_at IS NOT NULL AS "isArchived", s.id AS "subscriptionTypeId",
    s.archived_at IS NOT NULL AS "typeArchived", price.amount_minor AS price
  FROM (VALUES (1)) AS one (row)
  LEFT JOIN packages p ON p.business_id = $1 AND p.id = $2
  LEFT JOIN products product ON product.business_id = $1 AND product.id = p.primary_product_id
  LEFT JOIN subscription_types s ON s.business_id = $1 AND s.id = $3
  LEFT JOIN package_prices price ON price.business_id = $1 AND price.package_id = p.id
    AND price.subscription_type_id = s.id AND price.currency = $4 AND price.archived_at IS NULL`;

async function packageLine(
  reader: SqlReader,
  { packageId, subscriptionTypeId, currency, quantity }: WantedSale,
): Promise<{ line: SaleLine; brandId: string }> {
  const { businessId } = tenantOf(reader.ctx);
  const values = [businessId, packageId, subscriptionTypeId, currency];
  const [row] = (await reader.sql<PackageRow>('package_of_sale', packageText, values)) as [PackageRow];
  const typePath = ['input', 'subscriptionTypeId'];
  if (row.packageId === null) throw new Refusal([missingPackage(['input', 'packageId'])]);
  if (row.isArchived) throw new Refusal([archivedPackage(['input', 'packageId'])]);
  if (row.subscriptionTypeId === null) throw new Refusal([missingSubscriptionType(typePath)]);
  if (row.typeArchived) throw new Refusal([archivedSubscriptionType(typePath)]);
  if (row.price === null) {
    const message = `The package has no price for this subscription type in ${currency}. Read its prices.`;
    throw refusal('PriceNotFound', typePath, message);
  }
  const { productId, brandId, price: unitAmountMinor } = row;
  return { brandId, line: { productId, packageId, productOfferingIds: [], quantity, unitAmountMinor } };
}

interface OfferingRow {
  productId: string;
  status: ProductOfferingStatus;
  price: bigint;
  currency: string;
  revisions: string[];
}

const offeringText = `WITH RECURSIVE revisions AS (
    SELECT id, supersedes_id FROM product_offerings WHERE business_id = $1 AND id = $2
    UNION ALL
    SELECT o.id, o.supersedes_id FROM product_offerings o JOIN revisions r ON o.business_id = $1 AND o.id = r.supersedes_id)
  SELECT o.product_id AS "productId", o.status, o.price_minor AS price, o.currency,
    (SELECT array_agg(id::text) FROM revisions) AS revisions
  FROM product_offerings o WHERE o.business_id = $1 AND o.id = $2`;

async function offeringLine(
  reader: SqlReader,
  { currency, quantity }: WantedSale,
  productOfferingId: string,
): Promise<SaleLine> {
  const path = ['input', 'productOfferingId'];
  const { businessId } = tenantOf(reader.ctx);
  const [row] = await reader.sql<OfferingRow>('offering_of_sale', offeringText, [businessId, productOfferingId]);
  if (!row) throw new Refusal([missingProductOffering(path)]);
  if (row.status !== 'AVAILABLE') throw new Refusal([archivedProductOffering(path)]);
  if (row.currency !== currency) {
    const message = `The offering is priced in ${row.currency}. Use that currency.`;
    throw refusal('CurrencyMismatch', ['input', 'currencyCode'], message, { expected: row.currency });
  }
  const { productId, price: unitAmountMinor, revisions: productOfferingIds } = row;
  return { productId, packageId: null, productOfferingIds, quantity, unitAmountMinor };
}
