import type { ArchiveOrganizationInput } from '../generated/graphql.js';
import type { RequestContext } from '../kernel/requestContext.js';
import { inTransaction } from '../kernel/transaction.js';
import { refuseIfStale } from '../kernel/version.js';
import { changeOrganization } from './changeOrganization.js';
import { lockOrganization } from './lockOrganization.js';

/**
 * Archives an organization: nobody is put into it any more, its customers stay. Archiving again changes nothing.
 * @throws Refusal OrganizationNotFound, ModeMismatch, StaleObject
 */
export async function archiveOrganization(
  ctx: RequestContext,
  input: ArchiveOrganizationInput,
): Promise<{ organizationId: string }> {
  return inTransaction(ctx, async (tx) => {
    const current = await lockOrganization(tx, input.organizationId);
    if (current.archivedAt) return { organizationId: current.id };
    refuseIfStale(current, input.expectedVersion);
    await changeOrganization(tx, 'organization.archived', current, { archivedAt: ctx.now });
    return { organizationId: current.id };
  });
}
