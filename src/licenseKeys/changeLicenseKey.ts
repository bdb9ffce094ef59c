import { recordChange, type ChangeType } from '../events/recordChange.js';
import type { LicenseKey } from '../generated/prisma/client.js';
import { changedFields } from '../kernel/changedFields.js';
import { columnName, columnsOf } from '../kernel/rows.js';
import type { SqlTx } from '../kernel/transaction.js';

/** The columns of a key that changes set. */
export type LicenseKeyChange = Partial<
  Pick<
    LicenseKey,
    | 'status'
    | 'disabledAt'
    | 'disabledReason'
    | 'activationsLimit'
    | 'expiresAt'
    | 'metadata'
    | 'keyCiphertext'
    | 'last4'
    | 'source'
  >
>;

/**
 * A step: writes what differs of a locked key, with its next version, and records it. A change of nothing writes nothing.
 * @param aside what else changed that is no column of the row, before and after
 * @returns the key as it is now
 */
export async function changeLicenseKey(
  tx: SqlTx,
  current: LicenseKey,
  change: LicenseKeyChange,
  fact: { type: ChangeType; reason: string | null; aside?: { before: object; after: object } },
): Promise<LicenseKey> {
  const changed = changedFields<LicenseKey>(current, change);
  if (!changed) return current;
  const fields = Object.entries<unknown>(changed.after);
  const set = fields.map(([field], i) => `${columnName(field)} = $${i + 5}`);
  const [row] = await tx.sql<LicenseKey>(
    `change_license_key_${fields.map(([field]) => field).join('_')}`,
    `UPDATE license_keys SET ${set.join(', ')}, version = version + 1, updated_at = $4
      WHERE business_id = $1 AND mode = $2 AND id = $3 RETURNING ${columnsOf('LicenseKey')}`,
    [current.businessId, current.mode, current.id, tx.ctx.now, ...fields.map(([, value]) => value)],
  );
  if (!row) throw new Error('a locked license key is gone');
  recordChange(tx, {
    type: fact.type,
    objectType: 'LicenseKey',
    objectId: row.id,
    sequence: row.version,
    before: { ...changed.before, ...fact.aside?.before },
    after: { ...changed.after, ...fact.aside?.after },
    snapshot: { ...row, ...fact.aside?.after },
    reason: fact.reason,
  });
  return row;
}
