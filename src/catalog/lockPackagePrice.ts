import type { PackagePrice } from '../generated/prisma/client.js';
import { refuseOtherBrands } from '../kernel/brand.js';
import { lockShared } from '../kernel/lockShared.js';
import { Refusal } from '../kernel/refusal.js';
import { tenantOf } from '../kernel/requestContext.js';
import type { SqlTx } from '../kernel/transaction.js';
import { missingPackagePrice } from './notFound.js';

const path = ['input', 'packagePriceId'];

/**
 * A step: the price that the input names, locked against other changes.
 * @throws Refusal PackagePriceNotFound, BrandMismatch
 */
export async function lockPackagePrice(tx: SqlTx, packagePriceId: string): Promise<PackagePrice> {
  const price = await lockShared(tx, 'PackagePrice', packagePriceId);
  if (!price) throw new Refusal([missingPackagePrice(path)]);
  refuseOtherBrands(tx.ctx, { brandId: await brandOf(tx, price.packageId), path });
  return price;
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
