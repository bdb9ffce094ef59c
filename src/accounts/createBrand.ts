import type { CreateBrandInput } from '../generated/graphql.js';
import { recordChange } from '../events/recordChange.js';
import { newId } from '../kernel/id.js';
import { refuseIfAny, type UserErrorData } from '../kernel/refusal.js';
import { tenantOf, type RequestContext } from '../kernel/requestContext.js';
import { checkLength, checkMetadata, mergedMetadata } from '../kernel/text.js';
import { inTransaction } from '../kernel/transaction.js';
import { brandUrlTaken, checkBrandUrl } from './checkBrandUrl.js';
import { brandHost } from './findBrand.js';

/**
 * Creates a further brand of the caller's business.
 * @throws Refusal InvalidInput, BrandUrlTaken
 */
export async function createBrand(ctx: RequestContext, input: CreateBrandInput): Promise<{ brandId: string }> {
  const problems: UserErrorData[] = [];
  checkLength(problems, ['input', 'name'], input.name.trim(), 1, 255);
  checkBrandUrl(problems, ['input', 'url'], input.url);
  checkMetadata(problems, ['input', 'metadata'], input.metadata);
  refuseIfAny(problems);
  return inTransaction(
    ctx,
    async (tx) => {
      const brand = await tx.prisma.brand.create({
        data: {
          businessId: tenantOf(ctx).businessId,
          id: newId(),
          name: input.name.trim(),
          url: brandHost(input.url),
          isPrimary: false,
          metadata: mergedMetadata({}, input.metadata),
          createdAt: ctx.now,
          updatedAt: ctx.now,
        },
      });
      recordChange(tx, {
        type: 'brand.created',
        objectType: 'Brand',
        objectId: brand.id,
        sequence: 1,
        snapshot: brand,
      });
      return { brandId: brand.id };
    },
    brandUrlTaken(['input', 'url']),
  );
}
