import type { Application } from '../generated/prisma/client.js';
import { uuidOf } from '../kernel/id.js';
import { missing } from '../kernel/missing.js';
import { tenantOf } from '../kernel/requestContext.js';
import { columnsOf } from '../kernel/rows.js';
import type { SqlTx } from '../kernel/transaction.js';

/**
 * A step: the application that `applicationId` names, locked until the transaction ends.
 * @param strength CHANGE against every other change of it; USE only against changes, so that many customers may join at once
 * @throws Refusal ApplicationNotFound (the same for foreign and unknown ids), ModeMismatch
 */
export async function lockApplication(
  tx: SqlTx,
  applicationId: string,
  strength: 'CHANGE' | 'USE' = 'CHANGE',
): Promise<Application> {
  const { businessId, mode } = tenantOf(tx.ctx);
  const id = uuidOf('Application', applicationId);
  const lock = strength === 'CHANGE' ? 'FOR NO KEY UPDATE' : 'FOR SHARE';
  const [application] = await tx.sql<Application>(
    `lock_application_${strength}`,
    `SELECT ${columnsOf('Application')} FROM applications WHERE business_id = $1 AND mode = $2 AND id = $3 ${lock}`,
    [businessId, mode, id],
  );
  if (application) return application;
  const message = 'There is no application with this id.';
  throw await missing(tx, 'Application', id, ['input', 'applicationId'], 'ApplicationNotFound', message);
}
