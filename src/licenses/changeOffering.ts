import { entitlementsByOffering } from '../entitlements/entitlementsByOffering.js';
import type { Customer, License } from '../generated/prisma/client.js';
import { changeGrantsOf } from '../grants/changeGrantsOf.js';
import { revokeGrantsOf } from '../grants/grantsOfLicense.js';
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
    { license, productOfferingId: plan.to.id, customer, reason },
    {
      before: given.get(plan.from.id) ?? [],
      after: given.get(plan.to.id) ?? [],
    },
  );
  // What is new waits as the rest does while the license is stopped.
  await tx.flush();
  for (const cause of causesOf(license, plan.changeDate)) await revokeGrantsOf(tx, license.id, cause, reason);
  return recordLicenseUpdate(tx, 'license.offering_changed', license, afterOfferingChange(license, plan), reason);
}

/** A step, one statement: whose a license is. */
export async function findCustomerOf(
  reader: SqlReader,
  { businessId, mode, customerId }: License,
): Promise<Pick<Customer, 'id' | 'email' | 'brandId'>> {
  const [customer] = await reader.sql<Pick<Customer, 'id' | 'email' | 'brandId'>>(
    'customer_of_license',
    `SELECT id, email, brand_id AS "brandId" FROM customers WHERE business_id = $1 AND mode = $2 AND id = $3`,
    [businessId, mode, customerId],
  );
  if (!customer) throw new Error(`the customer of a license is gone: ${customerId}`);
  return customer;
}
