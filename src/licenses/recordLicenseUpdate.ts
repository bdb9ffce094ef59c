import { recordChange, type ChangeType } from '../events/recordChange.js';
import type { License } from '../generated/prisma/client.js';
import { changedFields } from '../kernel/changedFields.js';
import { columnName, columnsOf } from '../kernel/rows.js';
import type { SqlTx } from '../kernel/transaction.js';

const statementNames = new Map<string, string>();

/**
 * A step: writes the fields of a change that differ from a locked license, with the next version, and records it. A change of
 * nothing writes nothing.
 * @returns the license as it then is
 */
export async function recordLicenseUpdate(
  tx: SqlTx,
  type: ChangeType,
  current: License,
  change: Partial<License>,
  reason: string | null,
): Promise<License> {
  const changed = changedFields(current, change);
  if (!changed) return current;
  const after = Object.entries<unknown>(changed.after);
  const columns = after.map(([field], i) => `${columnName(field)} = $${i + 5}`);
  const text = `UPDATE licenses SET ${[...columns, 'version = version + 1', 'updated_at = $4'].join(', ')}
    WHERE business_id = $1 AND mode = $2 AND id = $3 RETURNING ${columnsOf('License')}`;
  const { businessId, mode, id } = current;
  const values = [businessId, mode, id, tx.ctx.now, ...after.map(([, value]) => value)];
  const [license] = await tx.sql<License>(nameOf(text), text, values);
  if (!license) throw new Error(`license ${id} is locked, and yet gone`);
  recordChange(tx, {
    type,
    objectType: 'License',
    objectId: id,
    sequence: license.version,
    ...changed,
    snapshot: license,
    reason,
  });
  return license;
}

/** Each set of columns is a statement of its own, and has a name of its own. */
function nameOf(text: string): string {
  const name = statementNames.get(text) ?? `update_license_${statementNames.size}`;
  statementNames.set(text, name);
  return name;
}
