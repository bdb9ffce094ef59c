import { recordUpdate } from '../events/recordUpdate.js';
import type { AddKeysToPoolInput } from '../generated/graphql.js';
import type { LicenseKeyPool } from '../generated/prisma/client.js';
import { newId } from '../kernel/id.js';
import { refusal, type UserErrorData } from '../kernel/refusal.js';
import { tenantOf, type RequestContext } from '../kernel/requestContext.js';
import { inSqlTransaction, type SqlTx } from '../kernel/transaction.js';
import { sealedKey } from './addLicenseKey.js';
import { claimTexts, refuseAllIfAny, type TextRow } from './claimTexts.js';
import { checkKey, last4 } from './licenseKey.js';
import type { PoolKeyRowResult } from './licenseKeyPool.js';
import { lockPool } from './lockPool.js';
import { endLowStock } from './noticeLowStock.js';

const ARCHIVED = 'The pool is archived: it takes no more keys. Choose another one.';

/**
 * Puts keys into a pool, for the caller's mode, a handful of statements for all rows. From then on the business knows them: no
 * other key may be the same.
 * @throws Refusal InvalidInput without rows, LicenseKeyPoolNotFound, LicenseKeyPoolArchived; with ALL_OR_NOTHING what is wrong with all rows: KeyBlank,
 *   InvalidInput, ReservedKeyPrefix, LicenseKeyTaken
 */
export async function addKeysToPool(
  ctx: RequestContext,
  input: AddKeysToPoolInput,
): Promise<{ licenseKeyPoolId: string; results: PoolKeyRowResult[] }> {
  if (input.rows.length === 0) throw refusal('InvalidInput', ['input', 'rows'], 'Give at least one row.');
  return inSqlTransaction(ctx, async (tx) => {
    const pool = await lockPool(tx, input);
    if (pool.archivedAt) throw refusal('LicenseKeyPoolArchived', ['input', 'licenseKeyPoolId'], ARCHIVED);
    const rows = input.rows.map(({ key }, index) => checkedRow(key, index));
    await claimTexts(tx, rows);
    refuseAllIfAny(input.onError ?? 'ROW_BY_ROW', rows);
    await store(
      tx,
      pool,
      rows.filter(({ problems }) => problems.length === 0),
    );
    return { licenseKeyPoolId: pool.id, results: rows.map(resultOf) };
  });
}

function checkedRow(key: string, index: number): TextRow {
  const problems: UserErrorData[] = [];
  checkKey(problems, ['input', 'rows', index, 'key'], key);
  return { index, key: key.trim(), licenseKeyId: null, poolKeyId: newId(), problems };
}

async function store(tx: SqlTx, pool: LicenseKeyPool, rows: readonly TextRow[]): Promise<void> {
  if (rows.length === 0) return;
  const common = { ...tenantOf(tx.ctx), poolId: pool.id, createdAt: tx.ctx.now };
  const keys = rows.map(({ key, poolKeyId }) => ({ ...common, ...sealedKey(tx, key, poolKeyId as string) }));
  tx.insert('license_key_pool_keys', ...(keys as never[]));
  const aside = { before: {}, after: { added: rows.length } };
  await recordUpdate(tx, 'license_key_pool.keys_added', { model: 'LicenseKeyPool', current: pool, change: {} }, aside);
  await tx.flush();
  await endLowStock(tx, pool);
}

function resultOf({ index, key, problems }: TextRow): PoolKeyRowResult {
  return { index, last4: problems.length === 0 ? last4(key) : null, userErrors: problems };
}
