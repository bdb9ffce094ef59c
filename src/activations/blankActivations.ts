import { tenantOf } from '../kernel/requestContext.js';
import type { SqlTx } from '../kernel/transaction.js';
import { ERASED, erasedFingerprintSql } from '../validation/erasedFingerprint.js';

/**
 * A step: takes out of a customer's devices what tells of the person: name, metadata and
 * fingerprint. Of a device that has its seat a hash is kept, by which it is known again: what the customer has works on. The
 * customer's keys are locked, so no device comes or goes meanwhile.
 */
export async function blankActivationsOf(tx: SqlTx, customerId: string): Promise<void> {
  const { businessId, mode } = tenantOf(tx.ctx);
  await tx.sql(
    'blank_activations_of_customer',
    `UPDATE activations SET name = NULL, metadata = '{}', updated_at = $4,
        fingerprint = CASE WHEN ended_at IS NULL AND (lease_until <= $4) IS NOT TRUE
          THEN ${erasedFingerprintSql('license_key_id', 'fingerprint')} ELSE '${ERASED}' || id END
      WHERE business_id = $1 AND mode = $2 AND customer_id = $3`,
    [businessId, mode, customerId, tx.ctx.now],
  );
}
