import { tenantOf } from '../kernel/requestContext.js';
import type { SqlTx } from '../kernel/transaction.js';

// Statements of their own on the table of a feature above: what was sold is the license's to know. Triggers ask the same.

/**
 * A step: whether a license of either mode has an offering or is scheduled to change to it. The offering must be locked ALONE:
 * then none is being sold meanwhile.
 */
export async function isOfferingSold(tx: SqlTx, productOfferingId: string): Promise<boolean> {
  const rows = await tx.sql(
    'is_offering_sold',
    `SELECT 1 AS one WHERE EXISTS (
         SELECT 1 FROM licenses
          WHERE business_id = $1 AND mode = ANY (enum_range(NULL::mode)) AND product_offering_id = $2)
       OR EXISTS (SELECT 1 FROM licenses WHERE business_id = $1 AND pending_offering_id = $2)`,
    [tenantOf(tx.ctx).businessId, productOfferingId],
  );
  return rows.length > 0;
}

/** A step: whether there is a license of a package, in either mode. The package must be locked ALONE. */
export async function isPackageSold(tx: SqlTx, packageId: string): Promise<boolean> {
  const rows = await tx.sql(
    'is_package_sold',
    'SELECT 1 AS one FROM licenses WHERE business_id = $1 AND mode = ANY (enum_range(NULL::mode)) AND package_id = $2 LIMIT 1',
    [tenantOf(tx.ctx).businessId, packageId],
  );
  return rows.length > 0;
}
