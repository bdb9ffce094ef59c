import type { Entitlement } from '../generated/prisma/client.js';
import { tenantOf } from '../kernel/requestContext.js';
import { columnsOf } from '../kernel/rows.js';
import type { SqlTx } from '../kernel/transaction.js';

/** Entitlements `e`, and `a`: when they were attached first, of the business's products, offerings and packages whose ids three subqueries or arrays give. */
function attached(productIds: string, productOfferingIds: string, packageIds: string): string {
  const attachments = (column: string, ids: string) =>
    `SELECT entitlement_id, created_at FROM entitlement_attachments WHERE business_id = $1 AND ${column} = ANY (${ids})`;
  // Three index scans; an OR over the three columns would be planned as one scan of them all.
  return `entitlements e JOIN (
      SELECT entitlement_id, min(created_at) AS attached_at FROM (
        ${attachments('product_id', productIds)}
        UNION ALL ${attachments('product_offering_id', productOfferingIds)}
        UNION ALL ${attachments('package_id', packageIds)}) attached
      GROUP BY entitlement_id) a ON a.entitlement_id = e.id AND e.business_id = $1 AND e.archived_at IS NULL`;
}

const ORDER = 'a.attached_at, e.id';

function statement(...ids: [productIds: string, productOfferingIds: string, packageIds: string]): string {
  return `SELECT ${columnsOf('Entitlement', 'e')} FROM ${attached(...ids)} ORDER BY ${ORDER}`;
}

/**
 * A step, one statement: what is attached to any of these, united: each entitlement once, archived ones not, in the order of
 * their first attachment.
 */
export async function entitlementsOf(
  tx: SqlTx,
  of: { productIds: string[]; productOfferingIds: string[]; packageIds: string[] },
): Promise<Entitlement[]> {
  return tx.sql<Entitlement>('entitlements_of', statement('$2::uuid[]', '$3::uuid[]', '$4::uuid[]'), [
    tenantOf(tx.ctx).businessId,
    of.productIds,
    of.productOfferingIds,
    of.packageIds,
  ]);
}

/** A step, one statement: what a license of an offering grants: the offering's own entitlements and its product's. */
export async function entitlementsOfOffering(tx: SqlTx, productOfferingId: string): Promise<Entitlement[]> {
  const product = 'SELECT product_id FROM product_offerings WHERE business_id = $1 AND id = $2';
  const text = statement(product, 'ARRAY[$2]::uuid[]', 'ARRAY[]::uuid[]');
  return tx.sql<Entitlement>('entitlements_of_offering', text, [tenantOf(tx.ctx).businessId, productOfferingId]);
}

/**
 * A step, one statement: what a license of a package grants: the package's own entitlements, its primary product's and those
 * of the offerings that come with it.
 */
export async function entitlementsOfPackage(tx: SqlTx, packageId: string): Promise<Entitlement[]> {
  const text = statement(...ofPackage('$2'));
  return tx.sql<Entitlement>('entitlements_of_package', text, [tenantOf(tx.ctx).businessId, packageId]);
}

/**
 * SQL: the same beside what else a statement looks for: each row of another table expression with each of the entitlements, once
 * with nulls where there is none. @param packageId its parameter; $1 is the business
 */
export function besideEntitlementsOfPackage(columns: string, from: string, packageId: string): string {
  return `SELECT ${columns}, ${columnsOf('Entitlement', 'e')}
    FROM ${from} LEFT JOIN (${attached(...ofPackage(packageId))}) ON true ORDER BY ${ORDER}`;
}

function ofPackage(id: string): [productIds: string, productOfferingIds: string, packageIds: string] {
  const product = `SELECT primary_product_id FROM packages WHERE business_id = $1 AND id = ${id}`;
  const offerings = `SELECT product_offering_id FROM package_offerings WHERE business_id = $1 AND package_id = ${id}`;
  return [product, offerings, `ARRAY[${id}]::uuid[]`];
}
