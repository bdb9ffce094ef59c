import { recordUpdate } from '../events/recordUpdate.js';
import type { ArchiveLicenseKeyPoolInput } from '../generated/graphql.js';
import type { RequestContext } from '../kernel/requestContext.js';
import { inSqlTransaction } from '../kernel/transaction.js';
import { lockPool } from './lockPool.js';

/**
 * Archives a pool: it takes no more keys and becomes no entitlement's source; those whose source it is draw what is left.
 * Archiving again changes nothing.
 * @throws Refusal LicenseKeyPoolNotFound
 */
export async function archiveLicenseKeyPool(
  ctx: RequestContext,
  input: ArchiveLicenseKeyPoolInput,
): Promise<{ licenseKeyPoolId: string }> {
  return inSqlTransaction(ctx, async (tx) => {
    const current = await lockPool(tx, input);
    if (!current.archivedAt) {
      const change = { archivedAt: ctx.now };
      await recordUpdate(tx, 'license_key_pool.archived', { model: 'LicenseKeyPool', current, change });
    }
    return { licenseKeyPoolId: current.id };
  });
}
