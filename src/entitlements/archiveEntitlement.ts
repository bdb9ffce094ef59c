import { recordUpdate } from '../events/recordUpdate.js';
import type { ArchiveEntitlementInput } from '../generated/graphql.js';
import type { RequestContext } from '../kernel/requestContext.js';
import { inSqlTransaction } from '../kernel/transaction.js';
import { lockEntitlement } from './lockEntitlement.js';

/**
 * Archives an entitlement. Archiving again changes nothing.
 * @throws Refusal EntitlementNotFound
 */
export async function archiveEntitlement(
  ctx: RequestContext,
  input: ArchiveEntitlementInput,
): Promise<{ entitlementId: string }> {
  return inSqlTransaction(ctx, async (tx) => {
    const current = await lockEntitlement(tx, input.entitlementId);
    if (!current.archivedAt) {
      const change = { archivedAt: ctx.now };
      await recordUpdate(tx, 'entitlement.archived', { model: 'Entitlement', current, change });
    }
    return { entitlementId: current.id };
  });
}
