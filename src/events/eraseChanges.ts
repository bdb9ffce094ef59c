import { tenantOf } from '../kernel/requestContext.js';
import type { SqlTx } from '../kernel/transaction.js';

/** Fields of rows, as changes spell them, that hold what somebody typed about a person; of whatever type the object is. */
const personalFields = [
  ...[
    'code',
    'externalId',
    'firstName',
    'lastName',
    'companyName',
    'email',
    'isEmailVerified',
    'countryCode',
    'locale',
  ],
  ...['organizationId', 'assignedToType', 'assignedToId', 'assignedToDisplayName', 'assignedToDetails', 'details'],
  ...['description', 'tags', 'metadata', 'revocationNote', 'errorMessage', 'recipient', 'response'],
  // Of keys and their devices.
  ...['disabledReason', 'name', 'fingerprint'],
  // Of product keys.
  ...['externalQuoteId', 'applicationExternalId', 'dataProviderConfigurationId', 'note'],
];

/** Tables of what is a customer's, beside the customer itself. */
const owned = [
  'activations',
  'customer_sessions',
  'deliveries',
  'grants',
  'license_keys',
  'licenses',
  'login_tokens',
  'orders',
  'product_keys',
  'sla_breaches',
  'wallets',
];

const text = `UPDATE changes SET reason = NULL, before = before - $4::text[], after = after - $4::text[],
    snapshot = snapshot - $4::text[], erased_at = $5
  WHERE business_id = $1 AND mode = $2 AND object_id IN (
      SELECT $3::uuid
      ${owned.map((table) => `UNION ALL SELECT id FROM ${table} WHERE business_id = $1 AND mode = $2 AND customer_id = $3`).join(' ')}
      UNION ALL SELECT unnest($6::uuid[]))
    AND (reason IS NOT NULL OR before ?| $4 OR after ?| $4 OR snapshot ?| $4)`;

/**
 * A step: takes a person out of the history of a customer and of all that is its own; what happened, when and by whom stays. The
 * one statement that changes what a change says. Each row that it touches tells so by `erased_at`: whoever verifies the history
 * compares a row's payload with its digest only where that is null.
 * @param others further objects that were about the customer alone
 */
export async function eraseChangesOf(tx: SqlTx, customerId: string, others: readonly string[]): Promise<void> {
  const { businessId, mode } = tenantOf(tx.ctx);
  await tx.sql('erase_changes_of_customer', text, [businessId, mode, customerId, personalFields, tx.ctx.now, others]);
}
