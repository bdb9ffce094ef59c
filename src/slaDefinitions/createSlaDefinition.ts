import { recordChange } from '../events/recordChange.js';
import type { CreateSlaDefinitionInput } from '../generated/graphql.js';
import { newId } from '../kernel/id.js';
import { refuseIfAny, type UserErrorData } from '../kernel/refusal.js';
import { tenantOf, type RequestContext } from '../kernel/requestContext.js';
import { mergedMetadata } from '../kernel/text.js';
import { inSqlTransaction } from '../kernel/transaction.js';
import { addVersion } from './addVersion.js';
import { checkTerms } from './checkTerms.js';
import { givenTerms } from './givenTerms.js';
import type { Terms } from './terms.js';

/** Terms that promise nothing. */
const nothing: Omit<Terms, 'name'> = {
  description: null,
  availabilityTarget: null,
  responsePercentile: null,
  responseThresholdMs: null,
  supportResponseMinutes: null,
  supportTimeZone: null,
  supportDays: [],
  supportFrom: null,
  supportUntil: null,
  penalties: [],
};

/**
 * Creates an SLA definition with its first version.
 * @throws Refusal InvalidInput, InvalidAmount, InvalidCurrency
 */
export async function createSlaDefinition(
  ctx: RequestContext,
  input: CreateSlaDefinitionInput,
): Promise<{ slaDefinitionId: string }> {
  const problems: UserErrorData[] = [];
  const terms: Terms = { ...nothing, name: '', ...givenTerms(problems, input) };
  refuseIfAny(problems);
  checkTerms(problems, terms, true);
  refuseIfAny(problems);
  return inSqlTransaction(ctx, (tx) => {
    const id = newId();
    const currentVersionId = addVersion(tx, id, 1, terms);
    const definition = {
      ...tenantOf(ctx),
      id,
      name: terms.name,
      description: terms.description,
      currentVersionId,
      metadata: mergedMetadata({}, input.metadata),
      archivedAt: null,
      version: 1,
      createdAt: ctx.now,
      updatedAt: ctx.now,
    };
    tx.insert('sla_definitions', definition);
    const about = { objectType: 'SlaDefinition', objectId: id, sequence: 1 } as const;
    recordChange(tx, { type: 'sla_definition.created', ...about, snapshot: { ...definition, number: 1, ...terms } });
    return Promise.resolve({ slaDefinitionId: id });
  });
}
