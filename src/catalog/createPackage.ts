import { brandForNew } from '../accounts/brandForNew.js';
import { recordChange } from '../events/recordChange.js';
import type { CreatePackageInput } from '../generated/graphql.js';
import { newId, uuidOf } from '../kernel/id.js';
import { lockShared } from '../kernel/lockShared.js';
import { refuseIfAny, type UserErrorData } from '../kernel/refusal.js';
import { tenantOf, type RequestContext } from '../kernel/requestContext.js';
import { checkLength, checkMetadata, mergedMetadata, presentText } from '../kernel/text.js';
import { inTransaction, type Tx } from '../kernel/transaction.js';
import { archivedProduct } from './archived.js';
import { missingProduct } from './notFound.js';
import { checkOfferingCount, offeringProblems } from './packageOfferings.js';

/**
 * Creates a package in the brand that the caller names, else in the primary one. An offering that is given twice counts once.
 * @throws Refusal InvalidInput, ProductNotFound, ProductArchived, ProductOfferingNotFound for each that is not there,
 *   ProductOfferingUnavailable for each that is archived
 */
export async function createPackage(ctx: RequestContext, input: CreatePackageInput): Promise<{ packageId: string }> {
  refuseIfAny(problemsOf(input));
  const { businessId } = tenantOf(ctx);
  const primaryProductId = uuidOf('Product', input.primaryProductId);
  const offeringIds = (input.productOfferingIds ?? []).map((id) => uuidOf('ProductOffering', id));
  return inTransaction(ctx, async (tx) => {
    await refuseMissing(tx, input.primaryProductId, offeringIds);
    const created = await tx.prisma.package.create({
      data: {
        businessId,
        id: newId(),
        brandId: await brandForNew(tx),
        primaryProductId,
        name: input.name.trim(),
        description: presentText(input.description),
        metadata: mergedMetadata({}, input.metadata),
        createdAt: ctx.now,
        updatedAt: ctx.now,
      },
    });
    const productOfferingIds = [...new Set(offeringIds)];
    await tx.prisma.packageOffering.createMany({
      data: productOfferingIds.map((productOfferingId) => ({ businessId, packageId: created.id, productOfferingId })),
    });
    recordChange(tx, {
      type: 'package.created',
      objectType: 'Package',
      objectId: created.id,
      sequence: 1,
      snapshot: { ...created, productOfferingIds },
    });
    return { packageId: created.id };
  });
}

function problemsOf(input: CreatePackageInput): UserErrorData[] {
  const problems: UserErrorData[] = [];
  checkLength(problems, ['input', 'name'], input.name.trim(), 1, 255);
  checkLength(problems, ['input', 'description'], presentText(input.description), 1, 2000);
  checkMetadata(problems, ['input', 'metadata'], input.metadata);
  checkOfferingCount(problems, input.productOfferingIds);
  return problems;
}

async function refuseMissing(tx: Tx, productId: string, offeringIds: readonly string[]): Promise<void> {
  const product = await lockShared(tx, 'Product', productId, 'USE');
  const problems: UserErrorData[] = [];
  if (!product) problems.push(missingProduct(['input', 'primaryProductId']));
  else if (product.archivedAt) problems.push(archivedProduct(['input', 'primaryProductId']));
  problems.push(...(await offeringProblems(tx, offeringIds, [])));
  refuseIfAny(problems);
}
