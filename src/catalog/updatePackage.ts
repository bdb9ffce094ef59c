import { recordUpdate } from '../events/recordUpdate.js';
import type { UpdatePackageInput } from '../generated/graphql.js';
import type { Package } from '../generated/prisma/client.js';
import { refuseOtherBrands } from '../kernel/brand.js';
import { lockShared } from '../kernel/lockShared.js';
import { Refusal, refuseIfAny, type UserErrorData } from '../kernel/refusal.js';
import { tenantOf, type RequestContext } from '../kernel/requestContext.js';
import { checkLength, checkMetadata, checkNotNull, mergedMetadataWithin, presentText } from '../kernel/text.js';
import { inSqlTransaction, type SqlTx } from '../kernel/transaction.js';
import { refuseIfStale } from '../kernel/version.js';
import { missingPackage } from './notFound.js';
import { checkOfferingCount, offeringIdsOf, offeringProblems } from './packageOfferings.js';

/**
 * Changes a package: absent leaves, null clears, metadata merges, offerings are replaced as a whole.
 * @throws Refusal InvalidInput, PackageNotFound, BrandMismatch, StaleObject, ProductOfferingNotFound,
 *   ProductOfferingUnavailable for an archived one that did not come with the package
 */
export async function updatePackage(ctx: RequestContext, input: UpdatePackageInput): Promise<{ packageId: string }> {
  refuseIfAny(problemsOf(input));
  return inSqlTransaction(ctx, async (tx) => {
    const current = await lockShared(tx, 'Package', input.packageId);
    if (!current) throw new Refusal([missingPackage(['input', 'packageId'])]);
    refuseOtherBrands(ctx, { brandId: current.brandId, path: ['input', 'packageId'] });
    refuseIfStale(current, input.expectedVersion);
    const change: Partial<Package> = { metadata: mergedMetadataWithin(current.metadata, input.metadata) };
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
  checkNotNull(problems, input, 'name');
  checkLength(problems, ['input', 'name'], input.name?.trim(), 1, 255);
  checkLength(problems, ['input', 'description'], presentText(input.description), 1, 2000);
  checkMetadata(problems, ['input', 'metadata'], input.metadata);
  checkOfferingCount(problems, input.productOfferingIds);
  return problems;
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
