import { recordChange } from '../events/recordChange.js';
import type { CreateProductVersionInput } from '../generated/graphql.js';
import { newId } from '../kernel/id.js';
import { lockShared } from '../kernel/lockShared.js';
import { Refusal, refuseIfAny, type UserErrorData } from '../kernel/refusal.js';
import { tenantOf, type RequestContext } from '../kernel/requestContext.js';
import { checkLength, checkMetadata, mergedMetadata, presentText } from '../kernel/text.js';
import { inTransaction } from '../kernel/transaction.js';
import { missingProduct } from './notFound.js';
import { versionNameTaken } from './productVersion.js';

/**
 * Creates a version of a product, not public yet. An archived product may get one: its users may still need it.
 * @throws Refusal InvalidInput, ProductNotFound, NameTaken
 */
export async function createProductVersion(
  ctx: RequestContext,
  input: CreateProductVersionInput,
): Promise<{ productVersionId: string }> {
  refuseIfAny(problemsOf(input));
  return inTransaction(
    ctx,
    async (tx) => {
      const product = await lockShared(tx, 'Product', input.productId, 'USE');
      if (!product) throw new Refusal([missingProduct(['input', 'productId'])]);
      const version = await tx.prisma.productVersion.create({
        data: {
          businessId: tenantOf(ctx).businessId,
          id: newId(),
          productId: product.id,
          name: input.name.trim(),
          description: presentText(input.description),
          metadata: mergedMetadata({}, input.metadata),
          createdAt: ctx.now,
          updatedAt: ctx.now,
        },
      });
      const { id } = version;
      recordChange(tx, {
        type: 'product_version.created',
        objectType: 'ProductVersion',
        objectId: id,
        sequence: 1,
        snapshot: version,
      });
      return { productVersionId: id };
    },
    versionNameTaken,
  );
}

function problemsOf(input: CreateProductVersionInput): UserErrorData[] {
  const problems: UserErrorData[] = [];
  checkLength(problems, ['input', 'name'], input.name.trim(), 1, 64);
  checkLength(problems, ['input', 'description'], presentText(input.description), 1, 2000);
  checkMetadata(problems, ['input', 'metadata'], input.metadata);
  return problems;
}
