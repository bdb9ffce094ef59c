import { recordUpdate } from '../events/recordUpdate.js';
import type { ArchivePackageInput } from '../generated/graphql.js';
import { refuseOtherBrands } from '../kernel/brand.js';
import { lockShared } from '../kernel/lockShared.js';
import { Refusal } from '../kernel/refusal.js';
import type { RequestContext } from '../kernel/requestContext.js';
import { inSqlTransaction } from '../kernel/transaction.js';
import { missingPackage } from './notFound.js';

/**
 * Archives a package. Archiving again changes nothing.
 * @throws Refusal PackageNotFound, BrandMismatch
 */
export async function archivePackage(ctx: RequestContext, input: ArchivePackageInput): Promise<{ packageId: string }> {
  return inSqlTransaction(ctx, async (tx) => {
    const current = await lockShared(tx, 'Package', input.packageId);
    if (!current) throw new Refusal([missingPackage(['input', 'packageId'])]);
    refuseOtherBrands(ctx, { brandId: current.brandId, path: ['input', 'packageId'] });
    if (!current.archivedAt) {
      const change = { archivedAt: ctx.now };
      await recordUpdate(tx, 'package.archived', { model: 'Package', current, change });
    }
    return { packageId: current.id };
  });
}
