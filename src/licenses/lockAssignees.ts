import { tenantOf } from '../kernel/requestContext.js';
import type { SqlTx } from '../kernel/transaction.js';
import type { NewLicense } from './issueLicenses.js';

/**
 * A step: makes licenses of one offering for one assignee wait for each other until the transaction ends. The exclusion
 * constraint alone refuses all but one as well, but insertions that wait for one another there end as deadlocks.
 */
export async function lockAssignees(tx: SqlTx, licenses: readonly NewLicense[]): Promise<void> {
  const { businessId, mode } = tenantOf(tx.ctx);
  const names = licenses.flatMap(({ productOfferingId, assignedTo }) =>
    productOfferingId && assignedTo
      ? [JSON.stringify(['assignee', businessId, mode, productOfferingId, assignedTo.type, assignedTo.id])]
      : [],
  );
  if (names.length === 0) return;
  await tx.sql(
    'lock_assignees',
    `SELECT pg_advisory_xact_lock(key) FROM (
       SELECT DISTINCT hashtextextended(name, 0) AS key FROM unnest($1::text[]) AS name ORDER BY key OFFSET 0) keys`,
    [names],
  );
}
