import type { License } from '../generated/prisma/client.js';
import { refuseErased } from '../kernel/erased.js';
import type { SqlTx } from '../kernel/transaction.js';
import { lockCurrentLicense } from './lockCurrentLicense.js';

/**
 * A step: the license that an input names, locked as it truly stands, to write down what was typed about it. An erasure locks the
 * customer's licenses first, so whoever waited for it here sees it.
 * @throws Refusal LicenseNotFound, ModeMismatch, BrandMismatch, StaleObject, CustomerErased
 */
export async function lockLicenseToNote(
  tx: SqlTx,
  input: { licenseId: string; expectedVersion?: number | null },
): Promise<License> {
  const license = await lockCurrentLicense(tx, input);
  const { businessId, mode, customerId } = license;
  const [customer] = await tx.sql<{ erasedAt: Date | null }>(
    'erasure_of_customer',
    `SELECT erased_at AS "erasedAt" FROM customers WHERE business_id = $1 AND mode = $2 AND id = $3`,
    [businessId, mode, customerId],
  );
  if (customer) refuseErased(customer, ['input', 'licenseId']);
  return license;
}
