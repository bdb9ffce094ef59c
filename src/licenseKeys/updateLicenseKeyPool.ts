import { recordUpdate } from '../events/recordUpdate.js';
import type { UpdateLicenseKeyPoolInput } from '../generated/graphql.js';
import type { LicenseKeyPool } from '../generated/prisma/client.js';
import { uuidOf } from '../kernel/id.js';
import { refuseIfAny, type UserErrorData } from '../kernel/refusal.js';
import type { RequestContext } from '../kernel/requestContext.js';
import { checkLength, checkNotNull, checkRange } from '../kernel/text.js';
import { inSqlTransaction } from '../kernel/transaction.js';
import { refuseIfStale } from '../kernel/version.js';
import { poolConflicts } from './licenseKeyPool.js';
import { lockPool } from './lockPool.js';
import { endLowStock } from './noticeLowStock.js';

/**
 * Changes a pool: absent leaves, null clears. One that has enough keys by its new threshold is no longer low.
 * @throws Refusal InvalidInput, LicenseKeyPoolNotFound, StaleObject, ProductNotFound, NameTaken
 */
export async function updateLicenseKeyPool(
  ctx: RequestContext,
  input: UpdateLicenseKeyPoolInput,
): Promise<{ licenseKeyPoolId: string }> {
  refuseIfAny(problemsOf(input));
  return inSqlTransaction(
    ctx,
    async (tx) => {
      const current = await lockPool(tx, input);
      refuseIfStale(current, input.expectedVersion);
      const change: Partial<LicenseKeyPool> = {};
      if (input.name != null) change.name = input.name.trim();
      if (input.productId !== undefined) change.productId = input.productId && uuidOf('Product', input.productId);
      if (input.lowStockThreshold != null) change.lowStockThreshold = input.lowStockThreshold;
      await recordUpdate(tx, 'license_key_pool.updated', { model: 'LicenseKeyPool', current, change });
      if (input.lowStockThreshold != null) await endLowStock(tx, current);
      return { licenseKeyPoolId: current.id };
    },
    poolConflicts,
  );
}

function problemsOf(input: UpdateLicenseKeyPoolInput): UserErrorData[] {
  const problems: UserErrorData[] = [];
  checkNotNull(problems, input, 'name', 'lowStockThreshold');
  checkLength(problems, ['input', 'name'], input.name?.trim(), 1, 255);
  checkRange(problems, ['input', 'lowStockThreshold'], input.lowStockThreshold, 0, 100_000);
  return problems;
}
