import { recordChange } from '../events/recordChange.js';
import type { LicenseKey } from '../generated/prisma/client.js';
import type { RequestContext } from '../kernel/requestContext.js';
import { columnsOf } from '../kernel/rows.js';
import { decrypt } from '../kernel/secret.js';
import { scopeOf } from '../kernel/tenancy.js';
import { inSqlTransaction } from '../kernel/transaction.js';

/**
 * Reads keys in full and records `license_key.revealed` for each, in two statements for all of them. No key is shown whose
 * reading was not recorded. A reading raises the key's version, but is no change of it: `updatedAt` stays.
 * @returns texts by id; without what the viewer cannot see
 */
export async function revealKeys(ctx: RequestContext, ids: readonly string[]): Promise<ReadonlyMap<string, string>> {
  const scope = Object.entries(scopeOf(ctx, 'LicenseKey'));
  const conditions = scope.map(([column], i) => `${column} = $${i + 2}`);
  // Locked in the order of ids, so that two requests for the same keys do not wait for each other in a circle.
  const text = `WITH seen AS (
      SELECT business_id, mode, id FROM license_keys WHERE id = ANY($1::uuid[]) AND ${conditions.join(' AND ')}
      ORDER BY id FOR NO KEY UPDATE)
    UPDATE license_keys k SET version = k.version + 1 FROM seen
      WHERE k.business_id = seen.business_id AND k.mode = seen.mode AND k.id = seen.id
      RETURNING ${columnsOf('LicenseKey', 'k')}`;
  return inSqlTransaction(ctx, async (tx) => {
    const values = [ids, ...scope.map(([, value]) => value)];
    const keys = await tx.sql<LicenseKey>(`reveal_keys_${scope.length}`, text, values);
    for (const key of keys) {
      const { id, version } = key;
      const about = { objectType: 'LicenseKey', objectId: id } as const;
      recordChange(tx, { type: 'license_key.revealed', ...about, sequence: version, snapshot: key });
    }
    return new Map(keys.map((key) => [key.id, textOf(ctx, key)]));
  });
}

/** The text of a key row. */
export function textOf(
  { keyring }: Pick<RequestContext, 'keyring'>,
  { businessId, mode, id, keyCiphertext }: Pick<LicenseKey, 'businessId' | 'mode' | 'id' | 'keyCiphertext'>,
): string {
  return decrypt(keyring.encryption, keyCiphertext, [businessId, mode, id]);
}
