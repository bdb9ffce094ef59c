import { recordChange } from '../events/recordChange.js';
import type { CreateProductInput } from '../generated/graphql.js';
import { Prisma } from '../generated/prisma/client.js';
import { newId } from '../kernel/id.js';
import { checkServiceUrl } from './checkServiceUrl.js';
import { keyPatternProblems } from './keyPattern.js';
import { keyPatternColumns } from './keyPatternColumns.js';
import { checkProductKeyTerms, productKeyTermsOf } from './productKeyTerms.js';
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
 * @throws Refusal InvalidInput, WeakKeyPattern, KeyPrefixTaken, SkuTaken
 */
export async function createProduct(ctx: RequestContext, input: CreateProductInput): Promise<{ productId: string }> {
  refuseIfAny(problemsOf(input));
  return inTransaction(
    ctx,
    async (tx) => {
      const id = newId();
      const { keyPattern, ...columns } = await keyPatternColumns(tx, input.keyPattern ?? null, { id });
      const product = await tx.prisma.product.create({
        data: {
          businessId: tenantOf(ctx).businessId,
          id,
          ...columns,
          keyPattern: keyPattern ?? Prisma.DbNull,
          sku: input.sku.trim(),
          name: input.name.trim(),
          description: presentText(input.description),
          serviceUrl: presentText(input.serviceUrl),
          ...productKeyTermsOf(input),
          metadata: mergedMetadata({}, input.metadata),
          createdAt: ctx.now,
          updatedAt: ctx.now,
        },
      });
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
  checkServiceUrl(problems, input.serviceUrl);
  problems.push(...keyPatternProblems(['input', 'keyPattern'], input.keyPattern));
  checkProductKeyTerms(problems, input);
  checkMetadata(problems, ['input', 'metadata'], input.metadata);
  return problems;
}
