import { recordChange } from '../events/recordChange.js';
import type { CreateProductInput } from '../generated/graphql.js';
import { newId } from '../kernel/id.js';
import { refuseIfAny, userError, type UserErrorData } from '../kernel/refusal.js';
import { tenantOf, type RequestContext } from '../kernel/requestContext.js';
import { checkLength, checkMetadata, mergedMetadata, presentText } from '../kernel/text.js';
import { inTransaction, type ConflictRefusals } from '../kernel/transaction.js';

const skuTaken: ConflictRefusals = {
  products_business_id_sku_key: () =>
    userError('SkuTaken', ['input', 'sku'], 'Another product has this SKU. Choose another one.'),
};

/**
 * Creates a product.
 * @throws Refusal InvalidInput, SkuTaken
 */
export async function createProduct(ctx: RequestContext, input: CreateProductInput): Promise<{ productId: string }> {
  refuseIfAny(problemsOf(input));
  return inTransaction(
    ctx,
    async (tx) => {
      const product = await tx.prisma.product.create({
        data: {
          businessId: tenantOf(ctx).businessId,
          id: newId(),
          sku: input.sku.trim(),
          name: input.name.trim(),
          description: presentText(input.description),
          serviceUrl: presentText(input.serviceUrl),
          metadata: mergedMetadata({}, input.metadata),
          createdAt: ctx.now,
          updatedAt: ctx.now,
        },
      });
      const { id } = product;
      recordChange(tx, {
        type: 'product.created',
        objectType: 'Product',
        objectId: id,
        sequence: 1,
        snapshot: product,
      });
      return { productId: id };
    },
    skuTaken,
  );
}

function problemsOf(input: CreateProductInput): UserErrorData[] {
  const problems: UserErrorData[] = [];
  checkLength(problems, ['input', 'sku'], input.sku.trim(), 1, 64);
  checkLength(problems, ['input', 'name'], input.name.trim(), 1, 255);
  checkLength(problems, ['input', 'description'], presentText(input.description), 1, 2000);
  const serviceUrl = presentText(input.serviceUrl);
  if (serviceUrl !== null && !isWebUrl(serviceUrl)) {
    const message = 'Give an http or https URL of up to 2000 characters, such as https://app.example.com/start.';
    problems.push(userError('InvalidInput', ['input', 'serviceUrl'], message));
  }
  checkMetadata(problems, ['input', 'metadata'], input.metadata);
  return problems;
}

/** White space is refused because `URL` would quietly take it out. */
function isWebUrl(url: string): boolean {
  return url.length <= 2000 && /^https?:\/\/\S+$/i.test(url) && URL.canParse(url);
}
