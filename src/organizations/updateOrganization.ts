import type { UpdateOrganizationInput } from '../generated/graphql.js';
import { refuseIfAny } from '../kernel/refusal.js';
import type { RequestContext } from '../kernel/requestContext.js';
import { checkNotNull, mergedMetadataWithin } from '../kernel/text.js';
import { inTransaction } from '../kernel/transaction.js';
import { refuseIfStale } from '../kernel/version.js';
import { changeOrganization } from './changeOrganization.js';
import { lockOrganization } from './lockOrganization.js';
import { organizationColumns, organizationConflicts, organizationProblems } from './organization.js';

/**
 * Changes an organization: absent leaves, null clears, metadata merges.
 * @throws Refusal InvalidInput, OrganizationNotFound, ModeMismatch, StaleObject, ExternalIdTaken
 */
export async function updateOrganization(
  ctx: RequestContext,
  input: UpdateOrganizationInput,
): Promise<{ organizationId: string }> {
  const problems = organizationProblems(input);
  checkNotNull(problems, input, 'name');
  refuseIfAny(problems);
  return inTransaction(
    ctx,
    async (tx) => {
      const current = await lockOrganization(tx, input.organizationId);
      refuseIfStale(current, input.expectedVersion);
      const metadata = mergedMetadataWithin(current.metadata, input.metadata);
      await changeOrganization(tx, 'organization.updated', current, { ...organizationColumns(input), metadata });
      return { organizationId: current.id };
    },
    organizationConflicts,
  );
}
