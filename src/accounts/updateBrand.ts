import { recordUpdate } from '../events/recordUpdate.js';
import type { UpdateBrandInput } from '../generated/graphql.js';
import type { Brand } from '../generated/prisma/client.js';
import { globalId } from '../kernel/id.js';
import { lockShared } from '../kernel/lockShared.js';
import { refusal, refuseIfAny, type UserErrorData } from '../kernel/refusal.js';
import { tenantOf, type RequestContext } from '../kernel/requestContext.js';
import { columnsOf } from '../kernel/rows.js';
import { checkLength, checkMetadata, checkNotNull, mergedMetadataWithin } from '../kernel/text.js';
import { inSqlTransaction, type SqlTx } from '../kernel/transaction.js';
import { refuseIfStale } from '../kernel/version.js';
import { brandUrlTaken, checkBrandUrl } from './checkBrandUrl.js';
import { brandHost } from './findBrand.js';

/**
 * Changes a brand: absent leaves, metadata merges. Making it the primary one takes that from the brand that was.
 * @throws Refusal InvalidInput, BrandNotFound, StaleObject, BrandUrlTaken
 */
export async function updateBrand(ctx: RequestContext, input: UpdateBrandInput): Promise<{ brandId: string }> {
  refuseIfAny(problemsOf(input));
  return inSqlTransaction(
    ctx,
    async (tx) => {
      // One change of the primary brand at a time: whoever makes it holds the business.
      if (input.makePrimary) await lockShared(tx, 'Business', globalId('Business', tenantOf(ctx).businessId));
      const current = await lockShared(tx, 'Brand', input.brandId);
      if (!current) throw refusal('BrandNotFound', ['input', 'brandId'], 'There is no brand with this id.');
      refuseIfStale(current, input.expectedVersion);
      const change: Partial<Brand> = { metadata: mergedMetadataWithin(current.metadata, input.metadata) };
      if (input.name != null) change.name = input.name.trim();
      if (input.url != null) change.url = brandHost(input.url);
      if (input.makePrimary) {
        if (!current.isPrimary) await endPrimary(tx);
        change.isPrimary = true;
      }
      await recordUpdate(tx, 'brand.updated', { model: 'Brand', current, change });
      return { brandId: current.id };
    },
    brandUrlTaken(['input', 'url']),
  );
}

function problemsOf(input: UpdateBrandInput): UserErrorData[] {
  const problems: UserErrorData[] = [];
  checkNotNull(problems, input, 'name', 'url');
  checkLength(problems, ['input', 'name'], input.name?.trim(), 1, 255);
  if (input.url != null) checkBrandUrl(problems, ['input', 'url'], input.url);
  checkMetadata(problems, ['input', 'metadata'], input.metadata);
  return problems;
}

async function endPrimary(tx: SqlTx): Promise<void> {
  const [current] = await tx.sql<Brand>(
    'lock_primary_brand',
    `SELECT ${columnsOf('Brand')} FROM brands WHERE business_id = $1 AND is_primary FOR NO KEY UPDATE`,
    [tenantOf(tx.ctx).businessId],
  );
  if (!current) throw new Error('the business has no primary brand');
  await recordUpdate(tx, 'brand.updated', { model: 'Brand', current, change: { isPrimary: false } });
}
