import { recordChange, type ChangeType } from '../events/recordChange.js';
import type { ProductKey } from '../generated/prisma/client.js';
import { changedFields } from '../kernel/changedFields.js';
import { columnName, columnsOf } from '../kernel/rows.js';
import type { SqlTx } from '../kernel/transaction.js';

/** What a change of a product key is called, and why it was made. */
export interface ProductKeyFact {
  readonly type: ChangeType;
  readonly reason: string | null;
  /** What else changed that is no column of the row; no addresses, which the history does not keep. */
  readonly aside?: { readonly before: object; readonly after: object };
}

const statementNames = new Map<string, string>();

/**
 * A step: writes what differs of a locked product key, with its next version, and records it. A change of nothing, without
 * anything aside, writes nothing.
 * @returns the key as it is now
 */
export async function changeProductKey(
  tx: SqlTx,
  current: ProductKey,
  change: Partial<ProductKey>,
  { type, reason, aside }: ProductKeyFact,
): Promise<ProductKey> {
  const changed = changedFields(current, change);
  if (!changed && !aside) return current;
  const fields = Object.entries<unknown>({ ...changed?.after });
  const set = [
    ...fields.map(([field], i) => `${columnName(field)} = $${i + 5}`),
    'version = version + 1',
    'updated_at = $4',
  ];
  const { businessId, mode, id } = current;
  const text = `UPDATE product_keys SET ${set.join(', ')}
    WHERE business_id = $1 AND mode = $2 AND id = $3 RETURNING ${columnsOf('ProductKey')}`;
  const [row] = await tx.sql<ProductKey>(nameOf(text), text, [
    businessId,
    mode,
    id,
    tx.ctx.now,
    ...fields.map(([, value]) => value),
  ]);
  if (!row) throw new Error('a locked product key is gone');
  recordChange(tx, {
    type,
    objectType: 'ProductKey',
    objectId: id,
    sequence: row.version,
    before: { ...changed?.before, ...aside?.before },
    after: { ...changed?.after, ...aside?.after },
    snapshot: { ...row, ...aside?.after },
    reason,
  });
  return row;
}

/** Each set of columns is a statement of its own, and has a name of its own. */
function nameOf(text: string): string {
  const name = statementNames.get(text) ?? `change_product_key_${statementNames.size}`;
  statementNames.set(text, name);
  return name;
}
