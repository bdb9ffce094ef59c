import { recordChange } from '../events/recordChange.js';
import type { CreateProductOfferingInput } from '../generated/graphql.js';
import { newId } from '../kernel/id.js';
import { lockShared } from '../kernel/lockShared.js';
import { Refusal, refuseIfAny, type UserErrorData } from '../kernel/refusal.js';
import { tenantOf, type RequestContext } from '../kernel/requestContext.js';
import { checkLength, checkMetadata, checkRange, mergedMetadata, presentText } from '../kernel/text.js';
import { inTransaction } from '../kernel/transaction.js';
import { archivedProduct } from './archived.js';
import { missingProduct } from './notFound.js';
import { checkPrice, priceFor } from './price.js';

/**
 * Creates a product offering that can be had at once.
 * @throws Refusal InvalidInput, InvalidAmount, InvalidCurrency, ProductNotFound, ProductArchived
 */
export async function createProductOffering(
  ctx: RequestContext,
  input: CreateProductOfferingInput,
): Promise<{ productOfferingId: string }> {
  const columns = offeringColumns(input);
  const { businessId } = tenantOf(ctx);
  return inTransaction(ctx, async (tx) => {
    const product = await lockShared(tx, 'Product', input.productId, 'USE');
    if (!product) throw new Refusal([missingProduct(['input', 'productId'])]);
    if (product.archivedAt) throw new Refusal([archivedProduct(['input', 'productId'])]);
    const productId = product.id;
    const { currency, amountMinor: priceMinor } = await priceFor(tx, input);
    const offering = await tx.prisma.productOffering.create({
      data: {
        businessId,
        id: newId(),
        productId,
        ...columns,
        priceMinor,
        currency,
        createdAt: ctx.now,
        updatedAt: ctx.now,
      },
    });
    const { id } = offering;
    recordChange(tx, {
      type: 'product_offering.created',
      objectType: 'ProductOffering',
      objectId: id,
      sequence: 1,
      snapshot: offering,
    });
    return { productOfferingId: id };
  });
}

/** @throws Refusal InvalidInput, InvalidAmount, InvalidCurrency: everything that is wrong with the fields themselves */
function offeringColumns(input: CreateProductOfferingInput) {
  const problems: UserErrorData[] = [];
  checkLength(problems, ['input', 'name'], input.name.trim(), 1, 255);
  checkLength(problems, ['input', 'description'], presentText(input.description), 1, 2000);
  checkLength(problems, ['input', 'licenseType'], input.licenseType.trim(), 1, 64);
  checkPrice(problems, input);
  checkRange(problems, ['input', 'boundMonths'], input.boundMonths, 0, 120);
  checkLength(problems, ['input', 'group'], presentText(input.group), 1, 255);
  checkMetadata(problems, ['input', 'metadata'], input.metadata);
  refuseIfAny(problems);
  return {
    name: input.name.trim(),
    description: presentText(input.description),
    licenseType: input.licenseType.trim(),
    billingPeriod: input.billingPeriod ?? 'ONE_TIME',
    boundMonths: input.boundMonths ?? 0,
    groupName: presentText(input.group),
    status: 'AVAILABLE' as const,
    metadata: mergedMetadata({}, input.metadata),
  };
}
