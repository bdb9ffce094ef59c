import type { SlaDefinition } from '../generated/prisma/client.js';
import { newId, uuidOf } from '../kernel/id.js';
import { userError, type UserErrorData } from '../kernel/refusal.js';
import { tenantOf } from '../kernel/requestContext.js';
import { columnsOf } from '../kernel/rows.js';
import type { SqlTx } from '../kernel/transaction.js';
import { MAX_ATTACHED } from '../slaDefinitions/terms.js';
import { slaDefinitionMissing } from '../slaDefinitions/lockSlaDefinition.js';

/**
 * A step: attaches SLA definitions to a new product key, each once and at its present version, since the key's start where that
 * lies in the past; buffered. They are held against changes until the transaction ends. Adds a problem for each that is unknown,
 * of the other mode, or archived, and for too many.
 */
export async function attachSlaDefinitions(
  tx: SqlTx,
  problems: UserErrorData[],
  { id: productKeyId, start }: { readonly id: string; readonly start: Date },
  slaDefinitionIds: readonly string[],
): Promise<void> {
  if (slaDefinitionIds.length === 0) return;
  const ids = slaDefinitionIds.map((id) => uuidOf('SlaDefinition', id));
  const found = await holdDefinitions(tx, ids);
  const attached = new Set<SlaDefinition>();
  for (const [index, id] of ids.entries()) {
    const path = ['input', 'slaDefinitionIds', String(index)];
    const definition = found.get(id);
    if (!definition) problems.push(...(await slaDefinitionMissing(tx, id, path)).errors);
    else if (definition.archivedAt) problems.push(userError('SlaDefinitionArchived', path, archived));
    else attached.add(definition);
  }
  if (attached.size > MAX_ATTACHED) {
    const message = `Give at most ${MAX_ATTACHED}; there are ${attached.size}.`;
    problems.push(userError('InvalidInput', ['input', 'slaDefinitionIds'], message));
  }
  const { now } = tx.ctx;
  const rows = [...attached].map((definition) => ({
    ...tenantOf(tx.ctx),
    id: newId(),
    productKeyId,
    slaDefinitionId: definition.id,
    slaDefinitionVersionId: definition.currentVersionId,
    attachedAt: start < now ? start : now,
    detachedAt: null,
  }));
  tx.insert('product_key_slas', ...rows);
}

const archived = 'The SLA definition is archived: no product key gets it newly. Choose another one, or none.';

async function holdDefinitions(tx: SqlTx, ids: readonly string[]): Promise<Map<string, SlaDefinition>> {
  const { businessId, mode } = tenantOf(tx.ctx);
  const rows = await tx.sql<SlaDefinition>(
    'hold_sla_definitions',
    `SELECT ${columnsOf('SlaDefinition')} FROM sla_definitions
      WHERE business_id = $1 AND mode = $2 AND id = ANY($3::uuid[]) ORDER BY id FOR SHARE`,
    [businessId, mode, ids],
  );
  return new Map(rows.map((row) => [row.id, row]));
}
