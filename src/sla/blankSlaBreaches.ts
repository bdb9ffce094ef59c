import { tenantOf } from '../kernel/requestContext.js';
import type { SqlTx } from '../kernel/transaction.js';

/** A step: takes what was typed out of breaches of a customer's product keys, whose rows are locked; figures and credits stay. */
export async function blankSlaBreachesOf(tx: SqlTx, customerId: string): Promise<void> {
  const { businessId, mode } = tenantOf(tx.ctx);
  await tx.sql(
    'blank_sla_breaches_of_customer',
    `UPDATE sla_breaches SET note = NULL, external_id = NULL
      WHERE business_id = $1 AND mode = $2 AND customer_id = $3 AND num_nonnulls(note, external_id) > 0`,
    [businessId, mode, customerId],
  );
}
