import type { UpdateApplicationInput } from '../generated/graphql.js';
import { refuseIfAny } from '../kernel/refusal.js';
import type { RequestContext } from '../kernel/requestContext.js';
import { checkNotNull, mergedMetadataWithin } from '../kernel/text.js';
import { inTransaction } from '../kernel/transaction.js';
import { refuseIfStale } from '../kernel/version.js';
import { changeApplication } from './changeApplication.js';
import { lockApplication } from './lockApplication.js';
import { applicationColumns, applicationConflicts, applicationProblems } from './application.js';

/**
 * Changes an application: absent leaves, null clears, metadata merges.
 * @throws Refusal InvalidInput, ApplicationNotFound, ModeMismatch, StaleObject, ExternalIdTaken
 */
export async function updateApplication(
  ctx: RequestContext,
  input: UpdateApplicationInput,
): Promise<{ applicationId: string }> {
  const problems = applicationProblems(input);
  checkNotNull(problems, input, 'name');
  refuseIfAny(problems);
  return inTransaction(
    ctx,
    async (tx) => {
      const current = await lockApplication(tx, input.applicationId);
      refuseIfStale(current, input.expectedVersion);
      const metadata = mergedMetadataWithin(current.metadata, input.metadata);
      await changeApplication(tx, 'application.updated', current, { ...applicationColumns(input), metadata });
      return { applicationId: current.id };
    },
    applicationConflicts,
  );
}
