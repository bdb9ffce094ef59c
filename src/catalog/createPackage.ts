import { brandForNew } from '../accounts/brandForNew.js';
import { recordChange } from '../events/recordChange.js';
import type { CreatePackageInput } from '../generated/graphql.js';
import { newId, uuidOf } from '../kernel/id.js';
import { refuseIfAny, userError, type UserErrorData } from '../kernel/refusal.js';
import { tenantOf, type RequestContext } from '../kernel/requestContext.js';
import { checkLength, checkMetadata, mergedMetadata, presentText } from '../kernel/text.js';
import { inTransaction, type Tx } from '../kernel/transaction.js';
import { missingProduct, missingProductOffering } from './notFound.js';

const MAX_OFFERINGS = 50;

/**
 * Creates a package in the brand that the caller names, else in the primary one. An offering that is given twice counts once.
 * @throws Refusal InvalidInput, ProductNotFound, ProductOfferingNotFound for each that is not there
 */
export async function createPackage(ctx: RequestContext, input: CreatePackageInput): Promise<{ packageId: string }> {
  refuseIfAny(problemsOf(input));
  const { businessId } = tenantOf(ctx);
  const primaryProductId = uuidOf('Product', input.primaryProductId);
  const offeringIds = (input.productOfferingIds ?? []).map((id) => uuidOf('ProductOffering', id));
  return inTransaction(ctx, async (tx) => {
    await refuseMissing(tx, primaryProductId, offeringIds);
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
  const offerings = input.productOfferingIds?.length ?? 0;
  if (offerings > MAX_OFFERINGS) {
    const message = `Give at most ${MAX_OFFERINGS} offerings; there are ${offerings}.`;
    problems.push(userError('InvalidInput', ['input', 'productOfferingIds'], message));
  }
  return problems;
}

async function refuseMissing(tx: Tx, productId: string, offeringIds: readonly string[]): Promise<void> {
  const { businessId } = tenantOf(tx.ctx);
  const found = await tx.sql<{ id: string }>(
    'parts_of_new_package',
    `SELECT id FROM products WHERE business_id = $1 AND id = $2
     UNION ALL SELECT id FROM product_offerings WHERE business_id = $1 AND id = ANY($3::uuid[])`,
    [businessId, productId, offeringIds],
  );
  const ids = new Set(found.map(({ id }) => id));
  const problems: UserErrorData[] = [];
  if (!ids.has(productId)) problems.push(missingProduct(['input', 'primaryProductId']));
  offeringIds.forEach((id, index) => {
    if (!ids.has(id)) problems.push(missingProductOffering(['input', 'productOfferingIds', index]));
  });
  refuseIfAny(problems);
}
