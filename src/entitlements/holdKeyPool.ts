import { lockShared } from '../kernel/lockShared.js';
import { refusal } from '../kernel/refusal.js';
import type { SqlTx } from '../kernel/transaction.js';
import { globalId } from '../kernel/id.js';

/**
 * A step: holds the pool that becomes an entitlement's source, so that it is not archived meanwhile; null: none does.
 * @throws Refusal LicenseKeyPoolNotFound (the same for foreign and unknown ids), LicenseKeyPoolArchived
 */
export async function holdKeyPool(tx: SqlTx, poolId: string | null): Promise<void> {
  if (poolId === null) return;
  const path = ['input', 'configuration', 'licenseKey', 'licenseKeyPoolId'];
  const pool = await lockShared(tx, 'LicenseKeyPool', globalId('LicenseKeyPool', poolId), 'USE');
  if (!pool) throw refusal('LicenseKeyPoolNotFound', path, 'There is no pool of license keys with this id.');
  if (!pool.archivedAt) return;
  throw refusal('LicenseKeyPoolArchived', path, 'The pool is archived: nothing new draws from it. Choose another one.');
}
