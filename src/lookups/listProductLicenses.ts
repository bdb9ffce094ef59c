import { inBrand } from '../kernel/brand.js';
import type { ColumnSet, NarrowRow } from '../kernel/columns.js';
import type { Condition } from '../kernel/condition.js';
import { NO_ID } from '../kernel/id.js';
import { listPage, type Connection, type ListSpec, type PageArgs } from '../kernel/page.js';
import { tenantOf, type RequestContext } from '../kernel/requestContext.js';
import { scopeOf } from '../kernel/tenancy.js';
import { effectiveOffering } from '../lifecycle/effective.js';

/** Whose licenses for which product are listed. */
export interface ProductLicenseArgs extends PageArgs {
  customerNumber: string;
  productSku: string;
}

/**
 * All licenses of a customer for a product: source 001's `Accounts/GetProductLicenses`. By creation, which never changes, so that
 * pages have no gaps while windows move. Two statements, however many there are.
 * @param columns what is read of the licenses
 * @returns null when the vendor has no product with the SKU; an unknown customer has no licenses
 */
export async function productLicenses(
  ctx: RequestContext,
  args: ProductLicenseArgs,
  columns: ColumnSet<'License'>,
): Promise<Connection<NarrowRow<'License'>> | null> {
  const { businessId, mode } = tenantOf(ctx);
  const [about] = await ctx.db.sql<{ productId: string; customerId: string | null }>(
    'product_and_customer',
    `SELECT p.id AS "productId",
        (SELECT c.id FROM customers c WHERE c.business_id = $1 AND c.mode = $2 AND c.number = $3) AS "customerId"
      FROM products p WHERE p.business_id = $1 AND p.sku = $4`,
    [businessId, mode, args.customerNumber.trim(), args.productSku.trim()],
  );
  if (!about) return null;
  return listPage(ctx.db, productLicenseList(ctx, about.customerId ?? NO_ID, about.productId), args, columns);
}

function productLicenseList(ctx: RequestContext, customerId: string, productId: string): ListSpec<'License'> {
  return {
    model: 'License',
    scope: { ...scopeOf(ctx, 'License'), customer_id: customerId },
    conditions: [...inBrand(ctx), isFor(tenantOf(ctx).businessId, productId, ctx.now)],
    // The product is part of the list's name: a cursor of another product's list is refused.
    order: { name: `PRODUCT ${productId}`, expression: 't.created_at', type: 'timestamptz', direction: 'ASC' },
  };
}

/**
 * For a product by its offering, as it is now, or by its package: the package's primary product, or one of its offerings'. As
 * `validateLicenseKey` has it.
 */
function isFor(businessId: string, productId: string, now: Date): Condition {
  return (place) => {
    const ofBusiness = (alias: string) => `${alias}.business_id = ${place(businessId)}::uuid`;
    const product = `${place(productId)}::uuid`;
    // Sets that do not depend on the license: PostgreSQL makes each of them once, however many licenses it looks at.
    return `(${effectiveOffering(`${place(now)}::timestamptz`)} IN (
        SELECT o.id FROM product_offerings o WHERE ${ofBusiness('o')} AND o.product_id = ${product})
      OR t.package_id IN (
        SELECT g.id FROM packages g WHERE ${ofBusiness('g')} AND g.primary_product_id = ${product}
        UNION ALL SELECT x.package_id FROM package_offerings x
          JOIN product_offerings o ON o.business_id = x.business_id AND o.id = x.product_offering_id
          WHERE ${ofBusiness('x')} AND o.product_id = ${product}))`;
  };
}
