import { recordChange } from '../events/recordChange.js';
import type { ProductKey } from '../generated/prisma/client.js';
import type { RequestContext } from '../kernel/requestContext.js';
import { columnsOf } from '../kernel/rows.js';
import { scopeOf } from '../kernel/tenancy.js';
import { inSqlTransaction } from '../kernel/transaction.js';
import { textOf } from './productKeyText.js';

/**
 * Reads product keys in full and records `product_key.revealed` for each, in two statements for all of them. No key is shown whose
 * reading was not recorded. A reading raises the key's version, but is no change of it: `updatedAt` stays.
 * @returns texts by id; without what the viewer cannot see
 */
export async function revealProductKeys(
  ctx: RequestContext,
  ids: readonly string[],
): Promise<ReadonlyMap<string, string>> {
  const scope = Object.entries(scopeOf(ctx, 'ProductKey'));
  const conditions = scope.map(([column], i) => `${column} = $${i + 2}`);
  // Locked in the order of ids, so that two requests for the same keys do not wait for each other in a circle.
  const text = `WITH seen AS (
      SELECT business_id, mode, id FROM product_keys WHERE id = ANY($1::uuid[]) AND ${conditions.join(' AND ')}
      ORDER BY id FOR NO KEY UPDATE)
    UPDATE product_keys k SET version = k.version + 1 FROM seen
      WHERE k.business_id = seen.business_id AND k.mode = seen.mode AND k.id = seen.id
      RETURNING ${columnsOf('ProductKey', 'k')}`;
  return inSqlTransaction(ctx, async (tx) => {
    const values = [ids, ...scope.map(([, value]) => value)];
    const keys = await tx.sql<ProductKey>(`reveal_product_keys_${scope.length}`, text, values);
    for (const key of keys) {
      const about = { objectType: 'ProductKey', objectId: key.id } as const;
      recordChange(tx, { type: 'product_key.revealed', ...about, sequence: key.version, snapshot: key });
    }
    return new Map(keys.map((key) => [key.id, textOf(ctx, key)]));
  });
}
