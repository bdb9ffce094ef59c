import { recordUpdate } from '../events/recordUpdate.js';
import type { RemoveKeysFromPoolInput } from '../generated/graphql.js';
import type { LicenseKeyPool } from '../generated/prisma/client.js';
import { refusal, userError } from '../kernel/refusal.js';
import { tenantOf, type RequestContext } from '../kernel/requestContext.js';
import { inSqlTransaction, type SqlTx } from '../kernel/transaction.js';
import { refuseAllIfAny } from './claimTexts.js';
import { keyHmacs } from './keyHmacs.js';
import type { PoolKeyRowResult } from './licenseKeyPool.js';
import { lockPool } from './lockPool.js';

/**
 * Takes keys out of a pool that nobody has drawn, of the caller's mode, a handful of statements for all rows. The business forgets
 * them: only that keys were removed, and how many, stays. Of a draw and a removal of one key at once, one has it.
 * @throws Refusal InvalidInput without rows, LicenseKeyPoolNotFound; with ALL_OR_NOTHING what is wrong with all rows:
 *   PoolKeyNotFound
 */
export async function removeKeysFromPool(
  ctx: RequestContext,
  input: RemoveKeysFromPoolInput,
): Promise<{ licenseKeyPoolId: string; results: PoolKeyRowResult[] }> {
  if (input.rows.length === 0) throw refusal('InvalidInput', ['input', 'rows'], 'Give at least one row.');
  return inSqlTransaction(ctx, async (tx) => {
    const pool = await lockPool(tx, input);
    const waiting = await lockWaiting(tx, pool, await ownersOf(tx, input));
    const rows = input.rows.map(({ key }, index) => removedRow(tx, waiting, key, index));
    refuseAllIfAny(input.onError ?? 'ROW_BY_ROW', rows);
    await remove(
      tx,
      pool,
      rows.flatMap(({ id }) => id ?? []),
    );
    const results = rows.map(({ index, last4, problems }) => ({ index, last4, userErrors: problems }));
    return { licenseKeyPoolId: pool.id, results };
  });
}

/** A key that waits in a pool, by any of its look-up values. */
type Waiting = Map<string, { readonly id: string; readonly last4: string }>;

/** Ids in pools of the keys that rows name, by look-up value. */
async function ownersOf(tx: SqlTx, { rows }: RemoveKeysFromPoolInput): Promise<Map<string, string>> {
  const { businessId, mode } = tenantOf(tx.ctx);
  const values = rows.flatMap(({ key }) => valuesOf(tx, key));
  const found = await tx.sql<{ keyHmac: Buffer; id: string }>(
    'pool_keys_by_text',
    `SELECT key_hmac AS "keyHmac", pool_key_id AS id FROM license_key_lookups
      WHERE business_id = $1 AND mode = $2 AND key_hmac = ANY($3::bytea[]) AND pool_key_id IS NOT NULL`,
    [businessId, mode, values],
  );
  return new Map(found.map(({ keyHmac, id }) => [keyHmac.toString('hex'), id]));
}

function valuesOf({ ctx }: SqlTx, key: string): Buffer[] {
  return keyHmacs(ctx.keyring, tenantOf(ctx), key).map(({ keyHmac }) => keyHmac);
}

/** Those of them that wait in the pool, locked: whoever draws one just now is waited for, and has it. */
async function lockWaiting(tx: SqlTx, pool: LicenseKeyPool, owners: Map<string, string>): Promise<Waiting> {
  const { businessId, mode } = tenantOf(tx.ctx);
  const keys = await tx.sql<{ id: string; last4: string }>(
    'lock_waiting_keys',
    `SELECT id, last4 FROM license_key_pool_keys
      WHERE business_id = $1 AND mode = $2 AND pool_id = $3 AND id = ANY($4::uuid[]) AND drawn_at IS NULL
      ORDER BY id FOR UPDATE`,
    [businessId, mode, pool.id, [...owners.values()]],
  );
  const byId = new Map(keys.map((key) => [key.id, key]));
  return new Map([...owners].flatMap(([value, id]) => (byId.has(id) ? [[value, byId.get(id)!]] : [])));
}

/** The same key a second time is not there any more. */
function removedRow(tx: SqlTx, waiting: Waiting, key: string, index: number) {
  const values = valuesOf(tx, key).map((value) => value.toString('hex'));
  const found = values.map((value) => waiting.get(value)).find((one) => one !== undefined);
  for (const value of values) waiting.delete(value);
  if (found) return { index, id: found.id, last4: found.last4, problems: [] };
  const message = 'No such key waits in the pool. It was never added, was drawn, or was taken out.';
  const problems = [userError('PoolKeyNotFound', ['input', 'rows', index, 'key'], message)];
  return { index, id: null, last4: null, problems };
}

async function remove(tx: SqlTx, pool: LicenseKeyPool, ids: string[]): Promise<void> {
  if (ids.length === 0) return;
  const { businessId, mode } = tenantOf(tx.ctx);
  await tx.sql(
    'remove_pool_keys',
    `WITH texts AS (DELETE FROM license_key_lookups
        WHERE business_id = $1 AND mode = $2 AND pool_key_id = ANY($3::uuid[]))
      DELETE FROM license_key_pool_keys WHERE business_id = $1 AND mode = $2 AND id = ANY($3::uuid[])`,
    [businessId, mode, ids],
  );
  const aside = { before: {}, after: { removed: ids.length } };
  const about = { model: 'LicenseKeyPool', current: pool, change: {} } as const;
  await recordUpdate(tx, 'license_key_pool.keys_removed', about, aside);
}
