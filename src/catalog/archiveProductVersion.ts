import { recordUpdate } from '../events/recordUpdate.js';
import type { ArchiveProductVersionInput } from '../generated/graphql.js';
import type { RequestContext } from '../kernel/requestContext.js';
import { inSqlTransaction } from '../kernel/transaction.js';
import { lockProductVersion } from './productVersion.js';

/**
 * Archives a version, which takes it back too. Archiving again changes nothing.
 * @throws Refusal ProductVersionNotFound
 */
export async function archiveProductVersion(
  ctx: RequestContext,
  input: ArchiveProductVersionInput,
): Promise<{ productVersionId: string }> {
  return inSqlTransaction(ctx, async (tx) => {
    const current = await lockProductVersion(tx, input.productVersionId);
    if (!current.archivedAt) {
      const change = { archivedAt: ctx.now, publishedAt: null };
      await recordUpdate(tx, 'product_version.archived', { model: 'ProductVersion', current, change });
    }
    return { productVersionId: current.id };
  });
}
