import { recordUpdate } from '../events/recordUpdate.js';
import type { PublishProductVersionInput } from '../generated/graphql.js';
import { refusal } from '../kernel/refusal.js';
import type { RequestContext } from '../kernel/requestContext.js';
import { inSqlTransaction } from '../kernel/transaction.js';
import { lockProductVersion } from './productVersion.js';

/**
 * Makes a version public, from now on or since an instant that is not in the future. Publishing again changes nothing unless
 * the input names another instant.
 * @throws Refusal ProductVersionNotFound, ProductVersionArchived, InvalidInput
 */
export async function publishProductVersion(
  ctx: RequestContext,
  input: PublishProductVersionInput,
): Promise<{ productVersionId: string }> {
  return inSqlTransaction(ctx, async (tx) => {
    const current = await lockProductVersion(tx, input.productVersionId);
    if (current.archivedAt) {
      const message = 'The version is archived: it is published no more. Create another one.';
      throw refusal('ProductVersionArchived', ['input', 'productVersionId'], message);
    }
    const publishedAt = input.publishedAt ?? current.publishedAt ?? ctx.now;
    if (publishedAt > ctx.now || publishedAt.getUTCFullYear() < 1) {
      const message = 'Give an instant of the year 1 or later that is not in the future, or leave it out for now.';
      throw refusal('InvalidInput', ['input', 'publishedAt'], message);
    }
    const change = { publishedAt };
    await recordUpdate(tx, 'product_version.published', { model: 'ProductVersion', current, change });
    return { productVersionId: current.id };
  });
}
