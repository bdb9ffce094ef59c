import { recordChange } from '../events/recordChange.js';
import type { CreateApplicationInput } from '../generated/graphql.js';
import { newId } from '../kernel/id.js';
import { refuseIfAny } from '../kernel/refusal.js';
import { tenantOf, type RequestContext } from '../kernel/requestContext.js';
import { mergedMetadata } from '../kernel/text.js';
import { inTransaction } from '../kernel/transaction.js';
import { applicationColumns, applicationConflicts, applicationProblems } from './application.js';

/**
 * Creates an application that product keys can name.
 * @throws Refusal InvalidInput, ExternalIdTaken
 */
export async function createApplication(
  ctx: RequestContext,
  input: CreateApplicationInput,
): Promise<{ applicationId: string }> {
  refuseIfAny(applicationProblems(input));
  return inTransaction(
    ctx,
    async (tx) => {
      const application = await tx.prisma.application.create({
        data: {
          ...tenantOf(ctx),
          id: newId(),
          ...applicationColumns(input),
          name: input.name.trim(),
          metadata: mergedMetadata({}, input.metadata),
          createdAt: ctx.now,
          updatedAt: ctx.now,
        },
      });
      const about = { objectType: 'Application', objectId: application.id, sequence: 1 } as const;
      recordChange(tx, { type: 'application.created', ...about, snapshot: application });
      return { applicationId: application.id };
    },
    applicationConflicts,
  );
}
