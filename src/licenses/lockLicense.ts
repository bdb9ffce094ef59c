import type { License } from '../generated/prisma/client.js';
import { refuseOtherBrands } from '../kernel/brand.js';
import { uuidOf } from '../kernel/id.js';
import { missing } from '../kernel/missing.js';
import { tenantOf } from '../kernel/requestContext.js';
import { columnsOf } from '../kernel/rows.js';
import type { SqlTx } from '../kernel/transaction.js';

const statement = `SELECT ${columnsOf('License', 'l')}, c.brand_id AS "brandId" FROM licenses l
  JOIN customers c ON c.business_id = l.business_id AND c.mode = l.mode AND c.id = l.customer_id
  WHERE l.business_id = $1 AND l.mode = $2 AND l.id = $3 FOR NO KEY UPDATE OF l`;

/**
 * A step, one statement: the license that `licenseId` names, as it is stored, locked until the transaction ends.
 * @throws Refusal LicenseNotFound (the same for foreign and unknown ids), ModeMismatch, BrandMismatch
 */
export async function lockLicense(tx: SqlTx, licenseId: string): Promise<License> {
  const { businessId, mode } = tenantOf(tx.ctx);
  const path = ['input', 'licenseId'];
  const id = uuidOf('License', licenseId);
  const [row] = await tx.sql<License & { brandId: string }>('lock_license', statement, [businessId, mode, id]);
  if (!row) throw await missing(tx, 'License', id, path, 'LicenseNotFound', 'There is no license with this id.');
  const { brandId, ...license } = row;
  refuseOtherBrands(tx.ctx, { brandId, path });
  return license;
}
