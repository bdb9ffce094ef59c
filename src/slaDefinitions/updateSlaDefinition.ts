import type { UpdateSlaDefinitionInput } from '../generated/graphql.js';
import type { SlaDefinition, SlaDefinitionVersion } from '../generated/prisma/client.js';
import { changedFields } from '../kernel/changedFields.js';
import { refuseIfAny, type UserErrorData } from '../kernel/refusal.js';
import type { RequestContext } from '../kernel/requestContext.js';
import { checkNotNull, mergedMetadataWithin } from '../kernel/text.js';
import { inTransaction } from '../kernel/transaction.js';
import { refuseIfStale } from '../kernel/version.js';
import { addVersion } from './addVersion.js';
import { changeSlaDefinition } from './changeSlaDefinition.js';
import { checkTerms } from './checkTerms.js';
import { givenTerms } from './givenTerms.js';
import { lockSlaDefinition, readCurrentVersion, refuseIfArchived } from './lockSlaDefinition.js';
import { penaltiesOf, type Terms } from './terms.js';

/**
 * Changes an SLA definition: what differs of its terms makes a new version, which becomes the present one; keys keep the version
 * that they have. Absent leaves, null clears, penalties are replaced as a whole, metadata merges and makes no version.
 * @throws Refusal InvalidInput, InvalidAmount, InvalidCurrency, SlaDefinitionNotFound, ModeMismatch, SlaDefinitionArchived,
 *   StaleObject
 */
export async function updateSlaDefinition(
  ctx: RequestContext,
  input: UpdateSlaDefinitionInput,
): Promise<{ slaDefinitionId: string }> {
  const problems: UserErrorData[] = [];
  const given = givenTerms(problems, input);
  checkNotNull(problems, input, 'name', 'penalties');
  refuseIfAny(problems);
  return inTransaction(ctx, async (tx) => {
    const current = await lockSlaDefinition(tx, input.slaDefinitionId, 'CHANGE');
    refuseIfArchived(current);
    refuseIfStale(current, input.expectedVersion);
    const version = await readCurrentVersion(tx, current);
    const present = termsOf(version);
    const terms = { ...present, ...given };
    checkTerms(problems, terms, given.penalties !== undefined);
    refuseIfAny(problems);
    const change: Partial<SlaDefinition> = { metadata: mergedMetadataWithin(current.metadata, input.metadata) };
    const changed = changedFields(present, terms);
    if (changed) {
      const currentVersionId = addVersion(tx, current.id, version.number + 1, terms);
      Object.assign(change, { currentVersionId, name: terms.name, description: terms.description });
    }
    await changeSlaDefinition(tx, 'sla_definition.updated', { current, change }, changed ?? undefined);
    return { slaDefinitionId: current.id };
  });
}

function termsOf(version: SlaDefinitionVersion): Terms {
  const { businessId: _b, mode: _m, id: _i, slaDefinitionId: _d, number: _n, createdAt: _c, ...terms } = version;
  return { ...terms, penalties: penaltiesOf(version) };
}
