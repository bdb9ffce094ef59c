import { tenantOf } from '../kernel/requestContext.js';
import type { SqlTx } from '../kernel/transaction.js';

const ofCustomer = 'business_id = $1 AND mode = $2 AND customer_id = $3';

/** A step: locks a customer's licenses in one order, before anything that waits for them is locked. */
export async function lockLicensesOf(tx: SqlTx, customerId: string): Promise<void> {
  const { businessId, mode } = tenantOf(tx.ctx);
  const text = `SELECT id FROM licenses WHERE ${ofCustomer} ORDER BY id FOR NO KEY UPDATE`;
  await tx.sql('lock_licenses_of_customer', text, [businessId, mode, customerId]);
}

/**
 * A step: takes out of a customer's licenses what was typed about the person: assignee, details, description, tags and metadata.
 * What the licenses are, and whether they can be used, stays. No change of its own: `customer.erased` speaks for all.
 */
export async function blankLicensesOf(tx: SqlTx, customerId: string): Promise<void> {
  const { businessId, mode } = tenantOf(tx.ctx);
  await tx.sql(
    'blank_licenses_of_customer',
    `UPDATE licenses SET assigned_to_type = NULL, assigned_to_id = NULL, assigned_to_display_name = NULL,
        assigned_to_details = NULL, details = NULL, description = NULL, tags = '{}', metadata = '{}', updated_at = $4
      WHERE ${ofCustomer} AND (num_nonnulls(assigned_to_type, assigned_to_id, assigned_to_display_name, assigned_to_details,
        details, description) > 0 OR tags <> '{}' OR metadata <> '{}')`,
    [businessId, mode, customerId, tx.ctx.now],
  );
}
