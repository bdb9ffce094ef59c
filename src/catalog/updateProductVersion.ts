import { recordUpdate } from '../events/recordUpdate.js';
import type { UpdateProductVersionInput } from '../generated/graphql.js';
import type { ProductVersion } from '../generated/prisma/client.js';
import { refuseIfAny, type UserErrorData } from '../kernel/refusal.js';
import type { RequestContext } from '../kernel/requestContext.js';
import { checkLength, checkMetadata, checkNotNull, mergedMetadataWithin, presentText } from '../kernel/text.js';
import { inSqlTransaction } from '../kernel/transaction.js';
import { refuseIfStale } from '../kernel/version.js';
import { lockProductVersion, versionNameTaken } from './productVersion.js';

/**
 * Changes a version of a product: absent leaves, null clears, metadata merges.
 * @throws Refusal InvalidInput, ProductVersionNotFound, StaleObject, NameTaken
 */
export async function updateProductVersion(
  ctx: RequestContext,
  input: UpdateProductVersionInput,
): Promise<{ productVersionId: string }> {
  refuseIfAny(problemsOf(input));
  return inSqlTransaction(
    ctx,
    async (tx) => {
      const current = await lockProductVersion(tx, input.productVersionId);
      refuseIfStale(current, input.expectedVersion);
      const change: Partial<ProductVersion> = { metadata: mergedMetadataWithin(current.metadata, input.metadata) };
      if (input.name != null) change.name = input.name.trim();
      if (input.description !== undefined) change.description = presentText(input.description);
      await recordUpdate(tx, 'product_version.updated', { model: 'ProductVersion', current, change });
      return { productVersionId: current.id };
    },
    versionNameTaken,
  );
}

function problemsOf(input: UpdateProductVersionInput): UserErrorData[] {
  const problems: UserErrorData[] = [];
  checkNotNull(problems, input, 'name');
  checkLength(problems, ['input', 'name'], input.name?.trim(), 1, 64);
  checkLength(problems, ['input', 'description'], presentText(input.description), 1, 2000);
  checkMetadata(problems, ['input', 'metadata'], input.metadata);
  return problems;
}
