import { recordUpdate } from '../events/recordUpdate.js';
import type { UnpublishProductVersionInput } from '../generated/graphql.js';
import type { RequestContext } from '../kernel/requestContext.js';
import { inSqlTransaction } from '../kernel/transaction.js';
import { lockProductVersion } from './productVersion.js';

/**
 * Takes a version back, so that the one published before it is the newest again. Taking back what is not public changes nothing.
 * @throws Refusal ProductVersionNotFound
 */
export async function unpublishProductVersion(
  ctx: RequestContext,
  input: UnpublishProductVersionInput,
): Promise<{ productVersionId: string }> {
  return inSqlTransaction(ctx, async (tx) => {
    const current = await lockProductVersion(tx, input.productVersionId);
    const change = { publishedAt: null };
    await recordUpdate(tx, 'product_version.unpublished', { model: 'ProductVersion', current, change });
    return { productVersionId: current.id };
  });
}
