import { customerName } from '../customers/customer.js';
import type { Customer, Delivery, ProductKey } from '../generated/prisma/client.js';
import type { Database } from '../kernel/database.js';
import { columnsOf } from '../kernel/rows.js';
import type { Keyring } from '../kernel/secret.js';
import type { TemplateVars } from '../mail/templates.js';
import { textOf } from '../licenseKeys/revealKeys.js';
import { hasEnded, statusOf } from './life.js';
import { isThresholdExceeded, meterAsOf, percentOf } from './meter.js';
import { readMeter } from './readTerms.js';

type Row = ProductKey & { customer: Customer; brandName: string; productNames: string };

const statement = `SELECT ${columnsOf('ProductKey', 'k')}, b.name AS "brandName",
    json_build_object('companyName', c.company_name, 'firstName', c.first_name, 'lastName', c.last_name, 'number', c.number) AS customer,
    (SELECT string_agg(p.name, ', ' ORDER BY j.position) FROM product_key_products j
       JOIN products p ON p.business_id = j.business_id AND p.id = j.product_id
      WHERE j.business_id = k.business_id AND j.mode = k.mode AND j.product_key_id = k.id) AS "productNames"
  FROM product_keys k
  JOIN customers c ON c.business_id = k.business_id AND c.mode = k.mode AND c.id = k.customer_id
  JOIN brands b ON b.business_id = c.business_id AND b.id = c.brand_id
  WHERE k.business_id = $1 AND k.mode = $2 AND k.id = $3`;

/** What every mail about a product key says. */
interface Facts {
  readonly key: ProductKey;
  readonly status: ProductKey['status'];
  readonly vars: { customerName: string; productName: string; brandName: string; number: string; description: string };
}

async function factsOf(
  db: Database,
  { businessId, mode, productKeyId }: Pick<Delivery, 'businessId' | 'mode' | 'productKeyId'>,
  now: Date,
): Promise<Facts | null> {
  const [row] = await db.sql<Row>('product_key_mail', statement, [businessId, mode, productKeyId]);
  if (!row) return null;
  const { customer, brandName, productNames, ...key } = row;
  const { number, description } = key;
  const vars = { customerName: customerName(customer), productName: productNames, brandName, number, description };
  return { key, status: statusOf(key, now), vars };
}

/**
 * What a mail with a new product key says, as it is now. Records no reading: the delivery itself says who got which.
 * @returns null when the key has ended meanwhile
 */
export async function productKeyCreatedMail(
  db: Database,
  keyring: Keyring,
  delivery: Delivery,
  now: Date,
): Promise<TemplateVars['product-key-created'] | null> {
  const facts = await factsOf(db, delivery, now);
  if (!facts || hasEnded(facts.status)) return null;
  const { key, vars } = facts;
  return { ...vars, key: textOf({ keyring }, key), startsAt: key.startsAt, expiresAt: key.expiresAt };
}

/** What a mail says about a trial that ends soon. @returns null when it has ended, or the key is not in it any more */
export async function trialExpiringMail(
  db: Database,
  delivery: Delivery,
  now: Date,
): Promise<TemplateVars['product-key-trial-expiring'] | null> {
  const facts = await factsOf(db, delivery, now);
  if (!facts?.key.trialEndsAt || facts.status !== 'TRIALING') return null;
  const { trialEndsAt, cancelAt, expiresAt } = facts.key;
  const ends = [cancelAt, expiresAt].flatMap((at) => (at && at <= trialEndsAt ? [at.getTime()] : []));
  const isEnd = ends.length > 0;
  return { ...facts.vars, trialEndsAt: isEnd ? new Date(Math.min(...ends)) : trialEndsAt, isEnd };
}

/** What a mail says about a key that was disabled. @returns null when it was enabled again, or has ended */
export async function productKeyDisabledMail(
  db: Database,
  delivery: Delivery,
  now: Date,
): Promise<TemplateVars['product-key-disabled'] | null> {
  const facts = await factsOf(db, delivery, now);
  if (facts?.status !== 'DISABLED') return null;
  return {
    ...facts.vars,
    reason: facts.key.disabledReason,
    isForPayment: facts.key.disabledBy === 'PAYMENT',
  };
}

/** What a mail says about a quota whose threshold is exceeded. @returns null when it is not any more, or the key has ended */
export async function quotaThresholdMail(
  db: Database,
  delivery: Delivery,
  now: Date,
): Promise<TemplateVars['product-key-quota-threshold'] | null> {
  const facts = await factsOf(db, delivery, now);
  if (!facts || hasEnded(facts.status)) return null;
  const stored = await readMeter(db, facts.key);
  const meter = meterAsOf(stored, facts.key.startsAt, now);
  if (meter !== stored || meter.quota === null || meter.threshold === null) return null;
  if (!isThresholdExceeded(meter)) return null;
  const { consumed, quota, threshold, periodEndsAt } = meter;
  const counts = { consumed: consumed.toString(), quota: quota.toString(), threshold: percentOf(threshold) };
  return { ...facts.vars, ...counts, periodEndsAt };
}
