import type { SlaDefinition, SlaDefinitionVersion } from '../generated/prisma/client.js';
import { uuidOf } from '../kernel/id.js';
import { missing } from '../kernel/missing.js';
import { refusal, type Refusal } from '../kernel/refusal.js';
import { tenantOf } from '../kernel/requestContext.js';
import { columnsOf } from '../kernel/rows.js';
import type { SqlReader, SqlTx } from '../kernel/transaction.js';

const path = ['input', 'slaDefinitionId'];

/**
 * A step: the SLA definition that an input names, locked until the transaction ends.
 * @param strength CHANGE against every other change of it; USE only against changes, so that many keys may get it at once
 * @throws Refusal SlaDefinitionNotFound (the same for foreign and unknown ids), ModeMismatch
 */
export async function lockSlaDefinition(
  tx: SqlTx,
  slaDefinitionId: string,
  strength: 'CHANGE' | 'USE',
): Promise<SlaDefinition> {
  const { businessId, mode } = tenantOf(tx.ctx);
  const id = uuidOf('SlaDefinition', slaDefinitionId);
  const lock = strength === 'CHANGE' ? 'FOR NO KEY UPDATE' : 'FOR SHARE';
  const [definition] = await tx.sql<SlaDefinition>(
    `lock_sla_definition_${strength}`,
    `SELECT ${columnsOf('SlaDefinition')} FROM sla_definitions WHERE business_id = $1 AND mode = $2 AND id = $3 ${lock}`,
    [businessId, mode, id],
  );
  if (!definition) throw await slaDefinitionMissing(tx, id, path);
  return definition;
}

/** What to answer where an SLA definition that an input names is not there: SlaDefinitionNotFound or ModeMismatch. */
export function slaDefinitionMissing(reader: SqlReader, id: string, at: readonly string[]): Promise<Refusal> {
  return missing(reader, 'SlaDefinition', id, at, 'SlaDefinitionNotFound', 'There is no SLA definition with this id.');
}

/** @throws Refusal SlaDefinitionArchived */
export function refuseIfArchived({ archivedAt }: SlaDefinition): void {
  if (archivedAt === null) return;
  throw refusal('SlaDefinitionArchived', path, 'The SLA definition is archived. Create a new one.');
}

/** A step: the present version of a definition, which never changes. */
export async function readCurrentVersion(tx: SqlTx, definition: SlaDefinition): Promise<SlaDefinitionVersion> {
  const [version] = await tx.sql<SlaDefinitionVersion>(
    'read_sla_definition_version',
    `SELECT ${columnsOf('SlaDefinitionVersion')} FROM sla_definition_versions WHERE business_id = $1 AND mode = $2 AND id = $3`,
    [definition.businessId, definition.mode, definition.currentVersionId],
  );
  if (!version) throw new Error('an SLA definition has no present version');
  return version;
}
