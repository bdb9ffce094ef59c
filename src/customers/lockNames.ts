import { tenantOf } from '../kernel/requestContext.js';
import type { SqlTx } from '../kernel/transaction.js';

/**
 * A step: holds names by which customers are found until the transaction ends, also those that nobody has yet: of two callers
 * with one new customer, the second sees the first one's row. All are taken in one order.
 */
export async function lockNames(tx: SqlTx, names: readonly (readonly string[])[]): Promise<void> {
  const { businessId, mode } = tenantOf(tx.ctx);
  const locks = names.map((name) => JSON.stringify([businessId, mode, ...name]));
  await tx.sql(
    'lock_upsert',
    `SELECT pg_advisory_xact_lock(hashtextextended(name, 0)) FROM unnest($1::text[]) AS name`,
    [locks.sort()],
  );
}
