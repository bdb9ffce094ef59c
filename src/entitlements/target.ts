import { missingPackage, missingProduct, missingProductOffering } from '../catalog/notFound.js';
import type { EntitlementTarget } from '../generated/graphql.js';
import { refuseOtherBrands } from '../kernel/brand.js';
import { uuidOf } from '../kernel/id.js';
import { Refusal } from '../kernel/refusal.js';
import { tenantOf } from '../kernel/requestContext.js';
import type { SqlTx } from '../kernel/transaction.js';

/** The kinds of things that entitlements are attached to, by the input's field. */
const kinds = {
  productId: { column: 'product_id', type: 'Product', table: 'products', missing: missingProduct },
  productOfferingId: {
    column: 'product_offering_id',
    type: 'ProductOffering',
    table: 'product_offerings',
    missing: missingProductOffering,
  },
  packageId: { column: 'package_id', type: 'Package', table: 'packages', missing: missingPackage },
} as const;

/** What an entitlement is attached to: the input's field, the column of `entitlement_attachments` for it, and its id. */
export interface FoundTarget {
  readonly field: keyof typeof kinds;
  readonly column: (typeof kinds)[keyof typeof kinds]['column'];
  readonly id: string;
}

/**
 * A step: the one target that the input names.
 * @throws Refusal ProductNotFound, ProductOfferingNotFound, PackageNotFound; BrandMismatch when `Brand-URL` names another
 *   brand than the package's
 */
export async function findTarget(tx: SqlTx, target: EntitlementTarget): Promise<FoundTarget> {
  const [[field, globalId]] = Object.entries(target) as [[keyof typeof kinds, string]];
  const { column, type, table, missing } = kinds[field];
  const path = ['input', 'target', field];
  const id = uuidOf(type, globalId);
  const [row] = await tx.sql<{ brandId: string | null }>(
    `entitlement_target_${column}`,
    `SELECT ${field === 'packageId' ? 'brand_id' : 'NULL'} AS "brandId" FROM ${table} WHERE business_id = $1 AND id = $2`,
    [tenantOf(tx.ctx).businessId, id],
  );
  if (!row) throw new Refusal([missing(path)]);
  if (row.brandId !== null) refuseOtherBrands(tx.ctx, { brandId: row.brandId, path });
  return { field, column, id };
}
