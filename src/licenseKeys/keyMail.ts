import { customerName } from '../customers/customer.js';
import type { Customer, Delivery, LicenseKey } from '../generated/prisma/client.js';
import type { Database } from '../kernel/database.js';
import type { Keyring } from '../kernel/secret.js';
import type { TemplateVars } from '../mail/templates.js';
import { isEnded } from './keysEnded.js';
import { textOf } from './revealKeys.js';

type Row = Pick<Customer, 'companyName' | 'firstName' | 'lastName' | 'number'> &
  Pick<LicenseKey, 'businessId' | 'mode' | 'id' | 'keyCiphertext' | 'activationsLimit' | 'expiresAt'> & {
    brandName: string;
    productName: string | null;
    graceUntil: Date | null;
  };

const statement = `SELECT k.business_id AS "businessId", k.mode, k.id, k.key_ciphertext AS "keyCiphertext",
    k.activations_limit AS "activationsLimit", k.expires_at AS "expiresAt", b.name AS "brandName",
    c.company_name AS "companyName", c.first_name AS "firstName", c.last_name AS "lastName", c.number,
    (SELECT p.name FROM license_key_bindings x
       JOIN licenses l ON l.business_id = x.business_id AND l.mode = x.mode AND l.id = x.license_id
       LEFT JOIN product_offerings o ON o.business_id = l.business_id AND o.id = l.product_offering_id
       LEFT JOIN packages a ON a.business_id = l.business_id AND a.id = l.package_id
       JOIN products p ON p.business_id = l.business_id AND p.id = coalesce(o.product_id, a.primary_product_id)
      WHERE x.business_id = k.business_id AND x.mode = k.mode AND x.license_key_id = k.id
      ORDER BY l.created_at DESC, l.id DESC LIMIT 1) AS "productName",
    (SELECT r.grace_until FROM license_key_rotations r
      WHERE r.business_id = k.business_id AND r.mode = k.mode AND r.license_key_id = k.id
      ORDER BY r.created_at DESC, r.id DESC LIMIT 1) AS "graceUntil",
    (SELECT max(r.created_at) FROM license_key_rotations r
      WHERE r.business_id = k.business_id AND r.mode = k.mode AND r.license_key_id = k.id) AS "rotatedAt"
  FROM license_keys k
  JOIN customers c ON c.business_id = k.business_id AND c.mode = k.mode AND c.id = k.customer_id
  JOIN brands b ON b.business_id = c.business_id AND b.id = c.brand_id
  WHERE k.business_id = $1 AND k.mode = $2 AND k.id = $3 AND k.status = 'ACTIVE' AND NOT ${isEnded('$4', 'k')}`;

/**
 * What a mail says that brings a key by itself, because it was issued or rotated, as it is now; one statement. Records no
 * reading: the delivery itself says who got which.
 * @returns null when the key was disabled meanwhile, also by the end of its last license, written or not: a key that does not
 *   work is not sent
 */
export async function keyMail(
  db: Database,
  keyring: Keyring,
  { businessId, mode, licenseKeyId }: Pick<Delivery, 'businessId' | 'mode' | 'licenseKeyId'>,
  now: Date,
): Promise<TemplateVars['license-key-rotated'] | null> {
  const [row] = await db.sql<Row & { rotatedAt: Date | null }>('key_mail', statement, [
    businessId,
    mode,
    licenseKeyId,
    now,
  ]);
  if (!row) return null;
  const { brandName, productName, activationsLimit, expiresAt, graceUntil, rotatedAt } = row;
  return {
    customerName: customerName(row),
    brandName,
    productName: productName ?? brandName,
    key: textOf({ keyring }, row),
    activationsLimit,
    expiresAt,
    activationMessage: null,
    // A text without a grace ended when it was superseded.
    graceUntil: graceUntil && rotatedAt && graceUntil > rotatedAt ? graceUntil : null,
  };
}
