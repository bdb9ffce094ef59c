import { isDeepStrictEqual } from 'node:util';
import { recordUpdate } from '../events/recordUpdate.js';
import type { UpdateProductInput } from '../generated/graphql.js';
import type { Product } from '../generated/prisma/client.js';
import { lockShared } from '../kernel/lockShared.js';
import { Refusal, refuseIfAny, type UserErrorData } from '../kernel/refusal.js';
import type { RequestContext } from '../kernel/requestContext.js';
import { checkLength, checkMetadata, checkNotNull, mergedMetadataWithin, presentText } from '../kernel/text.js';
import { inSqlTransaction, type SqlTx } from '../kernel/transaction.js';
import { refuseIfStale } from '../kernel/version.js';
import { checkServiceUrl } from './checkServiceUrl.js';
import { keyPatternOf, keyPatternProblems } from './keyPattern.js';
import { keyPatternColumns } from './keyPatternColumns.js';
import { missingProduct } from './notFound.js';
import { checkProductKeyTerms, productKeyTermsOf } from './productKeyTerms.js';

/**
 * Changes a product: absent leaves, null clears, metadata merges.
 * @throws Refusal InvalidInput, WeakKeyPattern, ProductNotFound, StaleObject, KeyPrefixTaken
 */
export async function updateProduct(ctx: RequestContext, input: UpdateProductInput): Promise<{ productId: string }> {
  refuseIfAny(problemsOf(input));
  return inSqlTransaction(ctx, async (tx) => {
    const current = await lockShared(tx, 'Product', input.productId);
    if (!current) throw new Refusal([missingProduct(['input', 'productId'])]);
    refuseIfStale(current, input.expectedVersion);
    const change: Partial<Product> = { metadata: mergedMetadataWithin(current.metadata, input.metadata) };
    if (input.name != null) change.name = input.name.trim();
    if (input.description !== undefined) change.description = presentText(input.description);
    if (input.serviceUrl !== undefined) change.serviceUrl = presentText(input.serviceUrl);
    Object.assign(change, productKeyTermsOf(input));
    if (input.keyPattern !== undefined) Object.assign(change, await changedPattern(tx, current, input.keyPattern));
    await recordUpdate(tx, 'product.updated', { model: 'Product', current, change });
    return { productId: current.id };
  });
}

/** The same pattern again is no change: its prefix stays as exclusive as it is. */
async function changedPattern(
  tx: SqlTx,
  current: Product,
  input: UpdateProductInput['keyPattern'],
): Promise<Partial<Product>> {
  if (input && isDeepStrictEqual(current.keyPattern, keyPatternOf(input))) return {};
  return keyPatternColumns(tx, input ?? null, current);
}

function problemsOf(input: UpdateProductInput): UserErrorData[] {
  const problems: UserErrorData[] = [];
  checkNotNull(problems, input, 'name');
  checkLength(problems, ['input', 'name'], input.name?.trim(), 1, 255);
  checkLength(problems, ['input', 'description'], presentText(input.description), 1, 2000);
  checkServiceUrl(problems, input.serviceUrl);
  problems.push(...keyPatternProblems(['input', 'keyPattern'], input.keyPattern));
  checkProductKeyTerms(problems, input);
  checkMetadata(problems, ['input', 'metadata'], input.metadata);
  return problems;
}
