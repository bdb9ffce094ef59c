import type { ApplyLicenseInput } from '../generated/graphql.js';
import { globalId, uuidOf } from '../kernel/id.js';
import { refusal } from '../kernel/refusal.js';
import { tenantOf, tenantViewer } from '../kernel/requestContext.js';
import { presentText } from '../kernel/text.js';
import type { SqlTx } from '../kernel/transaction.js';
import { keyHmacs } from '../licenseKeys/keyHmacs.js';
import { isCancelled } from '../lifecycle/effective.js';

/**
 * A step: the id of the license that an input names by id or by its key. Of several on one key it is the first that nobody has
 * used and that has not ended, else the last. To a session, somebody else's license is not there.
 * @throws Refusal LicenseNotFound
 */
export async function findLicenseToApply(tx: SqlTx, input: ApplyLicenseInput): Promise<string> {
  const viewer = tenantViewer(tx.ctx);
  const owner = viewer.principal === 'CUSTOMER' ? viewer.customerId : null;
  const key = presentText(input.key);
  if (key === null && owner === null) return input.licenseId as string;
  const id = key === null ? await ownLicense(tx, input.licenseId as string, owner) : await licenseOnKey(tx, key, owner);
  if (id !== null) return globalId('License', id);
  const [path, what] = key === null ? ['licenseId', 'with this id'] : ['key', 'on this key'];
  throw refusal('LicenseNotFound', ['input', path], `There is no license ${what}.`);
}

async function ownLicense(tx: SqlTx, licenseId: string, owner: string | null): Promise<string | null> {
  const { businessId, mode } = tenantOf(tx.ctx);
  const [license] = await tx.sql<{ id: string }>(
    'own_license',
    'SELECT id FROM licenses WHERE business_id = $1 AND mode = $2 AND id = $3 AND customer_id = $4',
    [businessId, mode, uuidOf('License', licenseId), owner],
  );
  return license?.id ?? null;
}

/** A text that another one took the place of counts as long as it works. */
async function licenseOnKey(tx: SqlTx, key: string, owner: string | null): Promise<string | null> {
  const tenant = tenantOf(tx.ctx);
  const hmacs = keyHmacs(tx.ctx.keyring, tenant, key);
  const [license] = await tx.sql<{ id: string }>(
    'license_on_key',
    `SELECT l.id FROM license_key_lookups t
      LEFT JOIN license_key_rotations r ON r.business_id = $1 AND r.mode = $2 AND r.id = t.rotation_id
      JOIN license_key_bindings b ON b.business_id = $1 AND b.mode = $2 AND b.license_key_id = t.license_key_id
      JOIN licenses l ON l.business_id = $1 AND l.mode = $2 AND l.id = b.license_id
      WHERE t.business_id = $1 AND t.mode = $2 AND t.key_hmac = ANY ($3::bytea[])
        AND (t.rotation_id IS NULL OR r.grace_until > $5)
        AND ($4::uuid IS NULL OR l.customer_id = $4)
      ORDER BY l.used_at IS NULL AND NOT ${isCancelled('$5::timestamptz', 'l')}
          AND (l.valid_until IS NULL OR l.valid_until > $5) DESC,
        CASE WHEN l.used_at IS NULL AND (l.valid_until IS NULL OR l.valid_until > $5) THEN l.valid_from END,
        l.valid_from DESC LIMIT 1`,
    [tenant.businessId, tenant.mode, hmacs.map(({ keyHmac }) => keyHmac), owner, tx.ctx.now],
  );
  return license?.id ?? null;
}
