import { refusal } from '../kernel/refusal.js';
import { tenantOf } from '../kernel/requestContext.js';
import type { SqlReader } from '../kernel/transaction.js';

/**
 * A step: where the business has its billing managed here, no license is had without an order.
 * @throws Refusal DirectLicenseCreationDisabled
 */
export async function refuseIfBillingIsManaged(reader: SqlReader): Promise<void> {
  const [business] = await reader.sql<{ isManaged: boolean }>(
    'managed_billing',
    'SELECT managed_billing AS "isManaged" FROM businesses WHERE id = $1',
    [tenantOf(reader.ctx).businessId],
  );
  if (!business?.isManaged) return;
  const message = 'Billing is managed here: licenses come from orders and wallet purchases.';
  throw refusal('DirectLicenseCreationDisabled', ['input'], message);
}
