import { entitlementsByOffering } from '../entitlements/entitlementsByOffering.js';
import type { Customer, License } from '../generated/prisma/client.js';
import { changeGrantsOf } from '../grants/changeGrantsOf.js';
import type { SqlReader, SqlTx } from '../kernel/transaction.js';
import { causesOf } from '../lifecycle/grantEffects.js';
import { afterOfferingChange, type OfferingChangePlan } from './offeringChange.js';
import { recordLicenseUpdate } from './recordLicenseUpdate.js';

/**
 * A step: makes a change of offering true of a locked license from `tx.ctx.now` on: its offering and type, and what it grants.
 * The grants go first, as in `moveLicense`. Records `license.offering_changed`.
 * @returns the license as it then is
 */
export async function changeOffering(
  tx: SqlTx,
  license: License,
  plan: Pick<OfferingChangePlan, 'from' | 'to' | 'changeDate'>,
  reason: string | null,
): Promise<License> {
  const given = await entitlementsByOffering(tx, [plan.from.id, plan.to.id]);
  const customer = await findCustomerOf(tx, license);
  await changeGrantsOf(
    tx,
    { license, productOfferingId: plan.to.id, customer, reason, heldBy: causesOf(license, plan.changeDate) },
    {
      before: given.get(plan.from.id) ?? [],
      after: given.get(plan.to.id) ?? [],
    },
  );
  // What happens next, such as a pause that is due too, must find what is new.
  await tx.flush();
  return recordLicenseUpdate(tx, 'license.offering_changed', license, afterOfferingChange(license, plan), reason);
}

/** Whose a license is, as far as it matters to what is done to the license. */
type LicenseOwner = Pick<Customer, 'id' | 'email' | 'brandId' | 'erasedAt'>;

/** A step, one statement: whose a license is. */
export async function findCustomerOf(
  reader: SqlReader,
  { businessId, mode, customerId }: License,
): Promise<LicenseOwner> {
  const [customer] = await reader.sql<LicenseOwner>(
    'customer_of_license',
    `SELECT id, email, brand_id AS "brandId", erased_at AS "erasedAt" FROM customers WHERE business_id = $1 AND mode = $2 AND id = $3`,
    [businessId, mode, customerId],
  );
  if (!customer) throw new Error(`the customer of a license is gone: ${customerId}`);
  return customer;
}
