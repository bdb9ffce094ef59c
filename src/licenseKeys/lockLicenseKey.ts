import type { Customer, LicenseKey } from '../generated/prisma/client.js';
import { refuseOtherBrands } from '../kernel/brand.js';
import { asServer } from '../kernel/asServer.js';
import { uuidOf } from '../kernel/id.js';
import { missing } from '../kernel/missing.js';
import { tenantOf } from '../kernel/requestContext.js';
import { columnsOf } from '../kernel/rows.js';
import type { SqlTx } from '../kernel/transaction.js';
import { refuseIfStale } from '../kernel/version.js';
import { endedKeys } from './keysEnded.js';
import { retireLicenseKey } from './retireLicenseKey.js';

/** A license key, locked until the transaction ends, and who gets mails about it. */
export interface LockedLicenseKey {
  readonly licenseKey: LicenseKey;
  readonly customer: Pick<Customer, 'id' | 'email'>;
}

const statement = `SELECT ${columnsOf('LicenseKey', 'k')}, c.brand_id AS "brandId", c.email FROM license_keys k
  JOIN customers c ON c.business_id = k.business_id AND c.mode = k.mode AND c.id = k.customer_id
  WHERE k.business_id = $1 AND k.mode = $2 AND k.id = $3 FOR NO KEY UPDATE OF k`;

/**
 * A step: the key that an input names, locked, once it has been switched off where its last license ended by itself and that is
 * not written yet: as it truly stands. `expectedVersion` means the version that readers saw. Whoever also locks its grant locks
 * that one first, as revoking and cancelling do.
 * @throws Refusal LicenseKeyNotFound (the same for foreign and unknown ids), ModeMismatch, BrandMismatch, StaleObject
 */
export async function lockLicenseKey(
  tx: SqlTx,
  { licenseKeyId, expectedVersion }: { licenseKeyId: string; expectedVersion?: number | null },
): Promise<LockedLicenseKey> {
  const { businessId, mode } = tenantOf(tx.ctx);
  const path = ['input', 'licenseKeyId'];
  const id = uuidOf('LicenseKey', licenseKeyId);
  type Row = LicenseKey & Pick<Customer, 'brandId' | 'email'>;
  const [row] = await tx.sql<Row>('lock_license_key', statement, [businessId, mode, id]);
  if (!row) {
    throw await missing(tx, 'LicenseKey', id, path, 'LicenseKeyNotFound', 'There is no license key with this id.');
  }
  const { brandId, email, ...stored } = row;
  refuseOtherBrands(tx.ctx, { brandId, path });
  refuseIfStale(stored, expectedVersion);
  const licenseKey = stored.status === 'ACTIVE' ? await retireIfEnded(tx, stored) : stored;
  return { licenseKey, customer: { id: licenseKey.customerId, email } };
}

/** What the worker would write of the key when it cancels its last license: by the server, dated with that instant. */
async function retireIfEnded(tx: SqlTx, stored: LicenseKey): Promise<LicenseKey> {
  const { businessId, mode, id } = stored;
  const [ended] = await tx.sql<{ endedAt: Date }>('keys_ended', endedKeys, [businessId, mode, [id], tx.ctx.now]);
  if (!ended) return stored;
  const retired = { licenseKeyId: id, licenseId: null, reason: null };
  if (!(await retireLicenseKey(asServer(tx, ended.endedAt), retired))) return stored;
  const [licenseKey] = await tx.sql<LicenseKey>(
    'license_key_as_retired',
    `SELECT ${columnsOf('LicenseKey')} FROM license_keys WHERE business_id = $1 AND mode = $2 AND id = $3`,
    [businessId, mode, id],
  );
  return licenseKey as LicenseKey;
}
