import { tenantOf } from '../kernel/requestContext.js';
import type { SqlTx } from '../kernel/transaction.js';

const ofCustomer = 'business_id = $1 AND mode = $2 AND customer_id = $3';

/** A step: locks a customer's keys in one order; after its grants, as everybody does. */
export async function lockLicenseKeysOf(tx: SqlTx, customerId: string): Promise<void> {
  const { businessId, mode } = tenantOf(tx.ctx);
  const text = `SELECT id FROM license_keys WHERE ${ofCustomer} ORDER BY id FOR NO KEY UPDATE`;
  await tx.sql('lock_license_keys_of_customer', text, [businessId, mode, customerId]);
}

/**
 * A step: takes out of a customer's keys what was typed about the person: metadata, and why one was switched off. The keys
 * themselves stay and work on.
 */
export async function blankLicenseKeysOf(tx: SqlTx, customerId: string): Promise<void> {
  const { businessId, mode } = tenantOf(tx.ctx);
  await tx.sql(
    'blank_license_keys_of_customer',
    `UPDATE license_keys SET metadata = '{}', disabled_reason = NULL, updated_at = $4
      WHERE ${ofCustomer} AND (metadata <> '{}' OR disabled_reason IS NOT NULL)`,
    [businessId, mode, customerId, tx.ctx.now],
  );
}
