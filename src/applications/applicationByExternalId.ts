import { recordChange } from '../events/recordChange.js';
import type { Application } from '../generated/prisma/client.js';
import { newId } from '../kernel/id.js';
import { refusal } from '../kernel/refusal.js';
import { tenantOf } from '../kernel/requestContext.js';
import { columnsOf } from '../kernel/rows.js';
import type { SqlTx } from '../kernel/transaction.js';

/**
 * A step: the application with an external id, made with that id as its name where there is none. Of two transactions that make
 * one at once, the second waits and takes the first one's. It is held against being archived until the transaction ends.
 * @param kept ids that may be archived, as they are named already
 * @returns its UUID
 * @throws Refusal ApplicationArchived
 */
export async function applicationByExternalId(
  tx: SqlTx,
  externalId: string,
  kept: ReadonlySet<string> = new Set(),
): Promise<string> {
  const { businessId, mode } = tenantOf(tx.ctx);
  const id = newId();
  const [made] = await tx.sql<Application>(
    'add_application_by_external_id',
    `INSERT INTO applications (business_id, mode, id, name, external_id, metadata, created_at, updated_at)
      VALUES ($1, $2, $3, $4, $4, '{}', $5, $5) ON CONFLICT (business_id, mode, external_id) DO NOTHING
      RETURNING ${columnsOf('Application')}`,
    [businessId, mode, id, externalId, tx.ctx.now],
  );
  if (made) {
    recordChange(tx, {
      type: 'application.created',
      objectType: 'Application',
      objectId: id,
      sequence: 1,
      snapshot: made,
    });
    return id;
  }
  const [found] = await tx.sql<Pick<Application, 'id' | 'archivedAt'>>(
    'application_by_external_id',
    `SELECT id, archived_at AS "archivedAt" FROM applications
      WHERE business_id = $1 AND mode = $2 AND external_id = $3 FOR SHARE`,
    [businessId, mode, externalId],
  );
  if (!found) throw new Error('an application that was there is gone');
  if (found.archivedAt === null || kept.has(found.id)) return found.id;
  const message =
    'The application with this external id is archived: no product key names it newly. Give another one, or none.';
  throw refusal('ApplicationArchived', ['input', 'applicationExternalId'], message);
}
