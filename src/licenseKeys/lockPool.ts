import type { LicenseKeyPool } from '../generated/prisma/client.js';
import { lockShared } from '../kernel/lockShared.js';
import { refusal } from '../kernel/refusal.js';
import type { SqlTx } from '../kernel/transaction.js';

/**
 * A step: the pool that an input names, locked until the transaction ends. Draws do not wait for it.
 * @throws Refusal LicenseKeyPoolNotFound (the same for foreign and unknown ids)
 */
export async function lockPool(tx: SqlTx, { licenseKeyPoolId }: { licenseKeyPoolId: string }): Promise<LicenseKeyPool> {
  const pool = await lockShared(tx, 'LicenseKeyPool', licenseKeyPoolId);
  if (pool) return pool;
  const message = 'There is no pool of license keys with this id.';
  throw refusal('LicenseKeyPoolNotFound', ['input', 'licenseKeyPoolId'], message);
}
