import type { ArchiveApplicationInput } from '../generated/graphql.js';
import type { RequestContext } from '../kernel/requestContext.js';
import { inTransaction } from '../kernel/transaction.js';
import { changeApplication } from './changeApplication.js';
import { lockApplication } from './lockApplication.js';

/**
 * Archives an application: no product key names it newly, those that do go on. Archiving again changes nothing.
 * @throws Refusal ApplicationNotFound, ModeMismatch
 */
export async function archiveApplication(
  ctx: RequestContext,
  input: ArchiveApplicationInput,
): Promise<{ applicationId: string }> {
  return inTransaction(ctx, async (tx) => {
    const current = await lockApplication(tx, input.applicationId);
    if (current.archivedAt) return { applicationId: current.id };
    await changeApplication(tx, 'application.archived', current, { archivedAt: ctx.now });
    return { applicationId: current.id };
  });
}
