import { recordChange } from '../events/recordChange.js';
import type { CreateOrganizationInput } from '../generated/graphql.js';
import { newId } from '../kernel/id.js';
import { refuseIfAny } from '../kernel/refusal.js';
import { tenantOf, type RequestContext } from '../kernel/requestContext.js';
import { mergedMetadata } from '../kernel/text.js';
import { inTransaction } from '../kernel/transaction.js';
import { organizationColumns, organizationConflicts, organizationProblems } from './organization.js';

/**
 * Creates an organization that customers can belong to.
 * @throws Refusal InvalidInput, ExternalIdTaken
 */
export async function createOrganization(
  ctx: RequestContext,
  input: CreateOrganizationInput,
): Promise<{ organizationId: string }> {
  refuseIfAny(organizationProblems(input));
  return inTransaction(
    ctx,
    async (tx) => {
      const organization = await tx.prisma.organization.create({
        data: {
          ...tenantOf(ctx),
          id: newId(),
          ...organizationColumns(input),
          name: input.name.trim(),
          metadata: mergedMetadata({}, input.metadata),
          createdAt: ctx.now,
          updatedAt: ctx.now,
        },
      });
      const about = { objectType: 'Organization', objectId: organization.id, sequence: 1 } as const;
      recordChange(tx, { type: 'organization.created', ...about, snapshot: organization });
      return { organizationId: organization.id };
    },
    organizationConflicts,
  );
}
