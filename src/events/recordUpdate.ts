import { changedFields } from '../kernel/changedFields.js';
import { keyOf, type SharedModel } from '../kernel/lockShared.js';
import { tenantOf } from '../kernel/requestContext.js';
import { columnName, columnsOf, tables, type RowOf } from '../kernel/rows.js';
import type { SqlTx } from '../kernel/transaction.js';
import { recordChange, type ChangeType } from './recordChange.js';

interface Versioned {
  id: string;
  version: number;
}

const statementNames = new Map<string, string>();

/**
 * A step: writes the fields of a change that differ from a row that is locked, with the next version, and records it. A
 * change of nothing writes nothing.
 * @param aside what else changed that is no column of the row, before and after
 * @returns the row as it is now
 */
export async function recordUpdate<M extends SharedModel>(
  tx: SqlTx,
  type: ChangeType,
  { model, current, change }: { model: M; current: RowOf<M>; change: Partial<RowOf<M>> },
  aside?: { before: object; after: object },
): Promise<RowOf<M>> {
  const changed = changedFields(current, change);
  if (!changed && !aside) return current;
  const { id } = current as Versioned;
  const after = Object.entries<unknown>({ ...changed?.after });
  const columns = after.map(([field], i) => `${columnName(field)} = $${i + 4}`);
  const set = [...columns, 'version = version + 1', 'updated_at = $3'].join(', ');
  const text = `UPDATE ${tables[model]} SET ${set} WHERE ${keyOf(model)} RETURNING ${columnsOf(model)}`;
  const values = [tenantOf(tx.ctx).businessId, id, tx.ctx.now, ...after.map(([, value]) => value)];
  const [row] = await tx.sql<RowOf<M>>(nameOf(text), text, values);
  if (!row) throw new Error(`a locked ${model} is gone`);
  recordChange(tx, {
    type,
    objectType: model,
    objectId: id,
    sequence: (row as Versioned).version,
    before: { ...changed?.before, ...aside?.before },
    after: { ...changed?.after, ...aside?.after },
    snapshot: { ...row, ...aside?.after },
  });
  return row;
}

/** Each set of columns is a statement of its own, and has a name of its own. */
function nameOf(text: string): string {
  const name = statementNames.get(text) ?? `update_${statementNames.size}`;
  statementNames.set(text, name);
  return name;
}
