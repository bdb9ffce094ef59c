import type { Customer, LicenseKey } from '../generated/prisma/client.js';
import { refuseOtherBrands } from '../kernel/brand.js';
import { uuidOf } from '../kernel/id.js';
import { missing } from '../kernel/missing.js';
import { tenantOf } from '../kernel/requestContext.js';
import { columnsOf } from '../kernel/rows.js';
import type { SqlTx } from '../kernel/transaction.js';

/** A license key, locked until the transaction ends, and who gets mails about it. */
export interface LockedLicenseKey {
  readonly licenseKey: LicenseKey;
  readonly customer: Pick<Customer, 'id' | 'email'>;
}

const statement = `SELECT ${columnsOf('LicenseKey', 'k')}, c.brand_id AS "brandId", c.email FROM license_keys k
  JOIN customers c ON c.business_id = k.business_id AND c.mode = k.mode AND c.id = k.customer_id
  WHERE k.business_id = $1 AND k.mode = $2 AND k.id = $3 FOR NO KEY UPDATE OF k`;

/**
 * A step, one statement: the key that `licenseKeyId` names, locked. Whoever also locks its grant locks that one first, as
 * revoking and cancelling do.
 * @throws Refusal LicenseKeyNotFound (the same for foreign and unknown ids), ModeMismatch, BrandMismatch
 */
export async function lockLicenseKey(tx: SqlTx, licenseKeyId: string): Promise<LockedLicenseKey> {
  const { businessId, mode } = tenantOf(tx.ctx);
  const path = ['input', 'licenseKeyId'];
  const id = uuidOf('LicenseKey', licenseKeyId);
  type Row = LicenseKey & Pick<Customer, 'brandId' | 'email'>;
  const [row] = await tx.sql<Row>('lock_license_key', statement, [businessId, mode, id]);
  if (!row) {
    throw await missing(tx, 'LicenseKey', id, path, 'LicenseKeyNotFound', 'There is no license key with this id.');
  }
  const { brandId, email, ...licenseKey } = row;
  refuseOtherBrands(tx.ctx, { brandId, path });
  return { licenseKey, customer: { id: licenseKey.customerId, email } };
}
