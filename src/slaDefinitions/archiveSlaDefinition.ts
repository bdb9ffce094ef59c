import type { ArchiveSlaDefinitionInput } from '../generated/graphql.js';
import type { RequestContext } from '../kernel/requestContext.js';
import { inTransaction } from '../kernel/transaction.js';
import { refuseIfStale } from '../kernel/version.js';
import { changeSlaDefinition } from './changeSlaDefinition.js';
import { lockSlaDefinition } from './lockSlaDefinition.js';

/**
 * Archives an SLA definition: no product key gets it newly, those that have it keep it. Archiving again changes nothing.
 * @throws Refusal SlaDefinitionNotFound, ModeMismatch, StaleObject
 */
export async function archiveSlaDefinition(
  ctx: RequestContext,
  input: ArchiveSlaDefinitionInput,
): Promise<{ slaDefinitionId: string }> {
  return inTransaction(ctx, async (tx) => {
    const current = await lockSlaDefinition(tx, input.slaDefinitionId, 'CHANGE');
    if (current.archivedAt) return { slaDefinitionId: current.id };
    refuseIfStale(current, input.expectedVersion);
    await changeSlaDefinition(tx, 'sla_definition.archived', { current, change: { archivedAt: ctx.now } });
    return { slaDefinitionId: current.id };
  });
}
