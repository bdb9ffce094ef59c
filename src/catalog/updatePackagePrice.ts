import { recordUpdate } from '../events/recordUpdate.js';
import type { UpdatePackagePriceInput } from '../generated/graphql.js';
import { checkAmount } from '../kernel/amount.js';
import { refuseOtherBrands } from '../kernel/brand.js';
import { lockShared } from '../kernel/lockShared.js';
import { Refusal, refuseIfAny, type UserErrorData } from '../kernel/refusal.js';
import { tenantOf, type RequestContext } from '../kernel/requestContext.js';
import { checkNotNull } from '../kernel/text.js';
import { inSqlTransaction, type SqlTx } from '../kernel/transaction.js';
import { refuseIfStale } from '../kernel/version.js';
import { missingPackagePrice } from './notFound.js';

/**
 * Sets another amount, in the price's currency, for later purchases.
 * @throws Refusal InvalidInput, PackagePriceNotFound, BrandMismatch, StaleObject, InvalidAmount
 */
export async function updatePackagePrice(
  ctx: RequestContext,
  input: UpdatePackagePriceInput,
): Promise<{ packagePriceId: string }> {
  const problems: UserErrorData[] = [];
  checkNotNull(problems, input, 'amount');
  refuseIfAny(problems);
  return inSqlTransaction(ctx, async (tx) => {
    const current = await lockShared(tx, 'PackagePrice', input.packagePriceId);
    if (!current) throw new Refusal([missingPackagePrice(['input', 'packagePriceId'])]);
    refuseOtherBrands(ctx, { brandId: await brandOf(tx, current.packageId), path: ['input', 'packagePriceId'] });
    refuseIfStale(current, input.expectedVersion);
    if (input.amount != null) {
      const { amount } = input;
      const amountMinor = checkAmount(problems, { amount, currencyCode: current.currency }, 'OR_ZERO');
      refuseIfAny(problems);
      await recordUpdate(tx, 'package_price.updated', { model: 'PackagePrice', current, change: { amountMinor } });
    }
    return { packagePriceId: current.id };
  });
}

async function brandOf(tx: SqlTx, packageId: string): Promise<string> {
  const [row] = await tx.sql<{ brandId: string }>(
    'brand_of_package',
    'SELECT brand_id AS "brandId" FROM packages WHERE business_id = $1 AND id = $2',
    [tenantOf(tx.ctx).businessId, packageId],
  );
  if (!row) throw new Error('a price has no package');
  return row.brandId;
}
