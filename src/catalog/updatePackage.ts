import { recordUpdate } from '../events/recordUpdate.js';
import type { UpdatePackageInput } from '../generated/graphql.js';
import type { Package } from '../generated/prisma/client.js';
import { refuseOtherBrands } from '../kernel/brand.js';
import { lockShared } from '../kernel/lockShared.js';
import { Refusal, refusal, refuseIfAny, type UserErrorData } from '../kernel/refusal.js';
import { tenantOf, type RequestContext } from '../kernel/requestContext.js';
import { checkLength, checkMetadata, checkNotNull, mergedMetadataWithin, presentText } from '../kernel/text.js';
import { inSqlTransaction, type SqlTx } from '../kernel/transaction.js';
import { refuseIfStale } from '../kernel/version.js';
import { archivedProduct } from './archived.js';
import { isPackageSold } from './isSold.js';
import { missingPackage, missingProduct } from './notFound.js';
import { checkOfferingCount, offeringIdsOf, offeringProblems } from './packageOfferings.js';

/**
 * Changes a package: absent leaves, null clears, metadata merges, offerings are replaced as a whole. Its product changes only
 * while no license of it was sold: that would make it another one under its owner's hands.
 * @throws Refusal InvalidInput, PackageNotFound, BrandMismatch, StaleObject, ProductNotFound, ProductArchived, PackageSold,
 *   ProductOfferingNotFound,
 *   ProductOfferingUnavailable for an archived one that did not come with the package
 */
export async function updatePackage(ctx: RequestContext, input: UpdatePackageInput): Promise<{ packageId: string }> {
  refuseIfAny(problemsOf(input));
  return inSqlTransaction(ctx, async (tx) => {
    // ALONE: purchases hold the package that they read, so that either they see the new product or are seen here.
    const strength = input.primaryProductId == null ? 'CHANGE' : 'ALONE';
    const current = await lockShared(tx, 'Package', input.packageId, strength);
    if (!current) throw new Refusal([missingPackage(['input', 'packageId'])]);
    refuseOtherBrands(ctx, { brandId: current.brandId, path: ['input', 'packageId'] });
    refuseIfStale(current, input.expectedVersion);
    const change: Partial<Package> = { metadata: mergedMetadataWithin(current.metadata, input.metadata) };
    if (input.primaryProductId != null) {
      change.primaryProductId = await productFor(tx, current, input.primaryProductId);
    }
    if (input.name != null) change.name = input.name.trim();
    if (input.description !== undefined) change.description = presentText(input.description);
    const replaced =
      input.productOfferingIds === undefined
        ? undefined
        : await replaceOfferings(tx, current.id, offeringIdsOf(input.productOfferingIds));
    await recordUpdate(tx, 'package.updated', { model: 'Package', current, change }, replaced);
    return { packageId: current.id };
  });
}

function problemsOf(input: UpdatePackageInput): UserErrorData[] {
  const problems: UserErrorData[] = [];
  checkNotNull(problems, input, 'name', 'primaryProductId');
  checkLength(problems, ['input', 'name'], input.name?.trim(), 1, 255);
  checkLength(problems, ['input', 'description'], presentText(input.description), 1, 2000);
  checkMetadata(problems, ['input', 'metadata'], input.metadata);
  checkOfferingCount(problems, input.productOfferingIds);
  return problems;
}

/** The id of the product that the package shall be of. */
async function productFor(tx: SqlTx, current: Package, primaryProductId: string): Promise<string> {
  const path = ['input', 'primaryProductId'];
  const product = await lockShared(tx, 'Product', primaryProductId, 'USE');
  if (!product) throw new Refusal([missingProduct(path)]);
  if (product.id === current.primaryProductId) return product.id;
  if (product.archivedAt) throw new Refusal([archivedProduct(path)]);
  if (await isPackageSold(tx, current.id)) {
    const message = 'Licenses of the package were sold: they are for its product. Create another package.';
    throw refusal('PackageSold', path, message);
  }
  return product.id;
}

/** @returns what came with the package before and after; undefined when that is the same */
async function replaceOfferings(tx: SqlTx, packageId: string, wanted: string[]) {
  const { businessId } = tenantOf(tx.ctx);
  const rows = await tx.sql<{ id: string }>(
    'offerings_of_package',
    'SELECT product_offering_id AS id FROM package_offerings WHERE business_id = $1 AND package_id = $2 ORDER BY 1',
    [businessId, packageId],
  );
  const former = rows.map(({ id }) => id);
  refuseIfAny(await offeringProblems(tx, wanted, former));
  if (former.length === wanted.length && former.every((id) => wanted.includes(id))) return undefined;
  await tx.sql(
    'take_offerings_from_package',
    'DELETE FROM package_offerings WHERE business_id = $1 AND package_id = $2 AND product_offering_id <> ALL($3::uuid[])',
    [businessId, packageId, wanted],
  );
  await tx.sql(
    'add_offerings_to_package',
    `INSERT INTO package_offerings (business_id, package_id, product_offering_id)
     SELECT $1, $2, unnest($3::uuid[]) ON CONFLICT DO NOTHING`,
    [businessId, packageId, wanted],
  );
  return { before: { productOfferingIds: former }, after: { productOfferingIds: wanted } };
}
