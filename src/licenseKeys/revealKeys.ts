import { recordChange } from '../events/recordChange.js';
import type { LicenseKey, ProductKey } from '../generated/prisma/client.js';
import type { RequestContext } from '../kernel/requestContext.js';
import { columnsOf } from '../kernel/rows.js';
import { decrypt } from '../kernel/secret.js';
import { scopeOf } from '../kernel/tenancy.js';
import { inSqlTransaction } from '../kernel/transaction.js';

/** What is revealed: where its rows stand, and what its reading is called. */
const kinds = {
  LicenseKey: { table: 'license_keys', type: 'license_key.revealed' },
  ProductKey: { table: 'product_keys', type: 'product_key.revealed' },
} as const;

/**
 * Reads keys in full, of licenses or products, and records that for each, in two statements for all of them. No key is shown whose
 * reading was not recorded. A reading raises the key's version, but is no change of it: `updatedAt` stays.
 * @returns texts by id; without what the viewer cannot see
 */
export async function revealKeys(
  ctx: RequestContext,
  objectType: keyof typeof kinds,
  ids: readonly string[],
): Promise<ReadonlyMap<string, string>> {
  const { table, type } = kinds[objectType];
  const scope = Object.entries(scopeOf(ctx, objectType));
  const conditions = scope.map(([column], i) => `${column} = $${i + 2}`);
  // Locked in the order of ids, so that two requests for the same keys do not wait for each other in a circle.
  const text = `WITH seen AS (
      SELECT business_id, mode, id FROM ${table} WHERE id = ANY($1::uuid[]) AND ${conditions.join(' AND ')}
      ORDER BY id FOR NO KEY UPDATE)
    UPDATE ${table} k SET version = k.version + 1 FROM seen
      WHERE k.business_id = seen.business_id AND k.mode = seen.mode AND k.id = seen.id
      RETURNING ${columnsOf(objectType, 'k')}`;
  return inSqlTransaction(ctx, async (tx) => {
    const values = [ids, ...scope.map(([, value]) => value)];
    const keys = await tx.sql<LicenseKey | ProductKey>(`reveal_${table}_${scope.length}`, text, values);
    for (const key of keys) {
      recordChange(tx, { type, objectType, objectId: key.id, sequence: key.version, snapshot: key });
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
