import { customerName } from '../customers/customer.js';
import type { Customer, Delivery, LicenseKey } from '../generated/prisma/client.js';
import type { Database } from '../kernel/database.js';
import type { Keyring } from '../kernel/secret.js';
import { keyMail } from '../licenseKeys/keyMail.js';
import { textOf } from '../licenseKeys/revealKeys.js';
import type { TemplateVars } from '../mail/templates.js';
import { effectiveGrantStatus } from './effectiveGrantStatus.js';

type Row = Pick<Customer, 'companyName' | 'firstName' | 'lastName' | 'number'> &
  Pick<LicenseKey, 'businessId' | 'mode' | 'id' | 'keyCiphertext' | 'activationsLimit' | 'expiresAt'> & {
    brandName: string;
    entitlementName: string;
    activationMessage: string | null;
  };

const statement = `SELECT k.business_id AS "businessId", k.mode, k.id, k.key_ciphertext AS "keyCiphertext",
    k.activations_limit AS "activationsLimit", k.expires_at AS "expiresAt",
    e.name AS "entitlementName", e.activation_message AS "activationMessage",
    c.company_name AS "companyName", c.first_name AS "firstName", c.last_name AS "lastName", c.number, b.name AS "brandName"
  FROM grants g
  JOIN license_keys k ON k.business_id = g.business_id AND k.mode = g.mode AND k.id = g.license_key_id
  JOIN entitlements e ON e.business_id = g.business_id AND e.id = g.entitlement_id
  JOIN customers c ON c.business_id = g.business_id AND c.mode = g.mode AND c.id = g.customer_id
  JOIN brands b ON b.business_id = c.business_id AND b.id = c.brand_id
  WHERE g.business_id = $1 AND g.mode = $2 AND g.id = $3 AND ${effectiveGrantStatus('$4', 'g')} = 'DELIVERED'`;

/**
 * What a mail says that brings a delivered key, as it is now; one statement. The one reader of keys that records nothing: the
 * delivery itself says who got which.
 * @returns null when the grant was taken back meanwhile, also by what happened to its license by itself: a key that does not work is not sent
 */
export async function licenseKeyMail(
  db: Database,
  keyring: Keyring,
  delivery: Pick<Delivery, 'businessId' | 'mode' | 'grantId' | 'licenseKeyId'>,
  now: Date,
): Promise<TemplateVars['license-key'] | null> {
  const { businessId, mode, grantId } = delivery;
  // Without a grant, the mail brings a key by itself.
  if (grantId === null) return keyMail(db, keyring, delivery, now);
  const [row] = await db.sql<Row>('license_key_mail', statement, [businessId, mode, grantId, now]);
  if (!row) return null;
  const { brandName, entitlementName, activationsLimit, expiresAt, activationMessage } = row;
  return {
    customerName: customerName(row),
    brandName,
    productName: entitlementName,
    key: textOf({ keyring }, row),
    activationsLimit,
    expiresAt,
    activationMessage,
  };
}
