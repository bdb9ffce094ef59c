import { recordUpdate } from '../events/recordUpdate.js';
import type { ArchivePackagePriceInput } from '../generated/graphql.js';
import type { RequestContext } from '../kernel/requestContext.js';
import { inSqlTransaction } from '../kernel/transaction.js';
import { lockPackagePrice } from './lockPackagePrice.js';

/**
 * Archives a price: nothing is sold at it any more, and the package may get another one in its place. Archiving again changes
 * nothing.
 * @throws Refusal PackagePriceNotFound, BrandMismatch
 */
export async function archivePackagePrice(
  ctx: RequestContext,
  input: ArchivePackagePriceInput,
): Promise<{ packagePriceId: string }> {
  return inSqlTransaction(ctx, async (tx) => {
    const current = await lockPackagePrice(tx, input.packagePriceId);
    if (!current.archivedAt) {
      const change = { archivedAt: ctx.now };
      await recordUpdate(tx, 'package_price.archived', { model: 'PackagePrice', current, change });
    }
    return { packagePriceId: current.id };
  });
}
