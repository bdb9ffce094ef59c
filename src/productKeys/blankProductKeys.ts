import { tenantOf } from '../kernel/requestContext.js';
import type { SqlTx } from '../kernel/transaction.js';

const ofCustomer = 'business_id = $1 AND mode = $2 AND customer_id = $3';

/** A step: locks a customer's product keys in one order, before the customer itself, as whoever changes them does. */
export async function lockProductKeysOf(tx: SqlTx, customerId: string): Promise<void> {
  const { businessId, mode } = tenantOf(tx.ctx);
  const text = `SELECT id FROM product_keys WHERE ${ofCustomer} ORDER BY id FOR NO KEY UPDATE`;
  await tx.sql('lock_product_keys_of_customer', text, [businessId, mode, customerId]);
}

/**
 * A step: takes out of a customer's product keys what was typed about the person, with the addresses of its notices; and the
 * person's own address out of all product keys of the business, where it is a consumer or gets notices, and out of those mails.
 * The keys stay and work on, for the other consumers too.
 * @param email the customer's address, before it is erased; null: it has none
 */
export async function blankProductKeysOf(tx: SqlTx, customerId: string, email: string | null): Promise<void> {
  const { businessId, mode } = tenantOf(tx.ctx);
  await tx.sql(
    'blank_product_keys_of_customer',
    `UPDATE product_keys SET description = 'Erased', tags = '{}', metadata = '{}', disabled_reason = NULL,
        external_quote_id = NULL, application_external_id = NULL, data_provider_configuration_id = NULL, updated_at = $4
      WHERE ${ofCustomer}`,
    [businessId, mode, customerId, tx.ctx.now],
  );
  await tx.sql(
    'blank_product_key_addresses_of_customer',
    `DELETE FROM product_key_addresses a WHERE a.business_id = $1 AND a.mode = $2 AND (a.canonical IN (lower($4), lower($5))
      OR (a.use <> 'CONSUMER' AND a.product_key_id IN (SELECT id FROM product_keys WHERE ${ofCustomer})))`,
    [businessId, mode, customerId, email, email?.normalize('NFC') ?? null],
  );
  await tx.sql(
    'withdraw_product_key_mails_of_customer',
    `UPDATE deliveries SET recipient = NULL, response = NULL,
        failure = CASE WHEN status = 'QUEUED' OR failure = 'WITHDRAWN' THEN 'NO_ADDRESS' ELSE failure END,
        file = CASE WHEN status = 'QUEUED' AND attempts > 0 THEN coalesce(file, 'mail') ELSE file END,
        status = CASE WHEN status = 'QUEUED' THEN 'FAILED' ELSE status END, version = version + 1, updated_at = $4
      WHERE business_id = $1 AND mode = $2 AND product_key_id IS NOT NULL AND lower(recipient) IN (lower($3), lower($5))`,
    [businessId, mode, email, tx.ctx.now, email?.normalize('NFC') ?? null],
  );
}
