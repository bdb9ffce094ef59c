import { tenantOf } from '../kernel/requestContext.js';
import type { SqlTx } from '../kernel/transaction.js';

const ofCustomer = 'business_id = $1 AND mode = $2 AND customer_id = $3';

/** A step: locks a customer's grants in one order; after its licenses, as everybody does. */
export async function lockGrantsOf(tx: SqlTx, customerId: string): Promise<void> {
  const { businessId, mode } = tenantOf(tx.ctx);
  const text = `SELECT id FROM grants WHERE ${ofCustomer} ORDER BY id FOR NO KEY UPDATE`;
  await tx.sql('lock_grants_of_customer', text, [businessId, mode, customerId]);
}

/**
 * A step: takes out of a customer's grants what was typed about the person, or said by a platform: metadata, the note of a
 * revocation and the text of an error. Status, key, payment and subscription stay.
 */
export async function blankGrantsOf(tx: SqlTx, customerId: string): Promise<void> {
  const { businessId, mode } = tenantOf(tx.ctx);
  await tx.sql(
    'blank_grants_of_customer',
    `UPDATE grants SET metadata = '{}', revocation_note = NULL, error_message = NULL, updated_at = $4
      WHERE ${ofCustomer} AND (metadata <> '{}' OR num_nonnulls(revocation_note, error_message) > 0)`,
    [businessId, mode, customerId, tx.ctx.now],
  );
}
