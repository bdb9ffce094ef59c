import type { RevokeApiKeyInput } from '../generated/graphql.js';
import { recordChange } from '../events/recordChange.js';
import { uuidOf } from '../kernel/id.js';
import { refusal } from '../kernel/refusal.js';
import { tenantOf, type RequestContext } from '../kernel/requestContext.js';
import { inTransaction } from '../kernel/transaction.js';

/**
 * Revokes an API key of the caller's mode, for good. Revoking again changes nothing.
 * @throws Refusal ApiKeyNotFound
 */
export async function revokeApiKey(ctx: RequestContext, input: RevokeApiKeyInput): Promise<{ apiKeyId: string }> {
  const where = { ...tenantOf(ctx), id: uuidOf('ApiKey', input.apiKeyId) };
  return inTransaction(ctx, async (tx) => {
    const [revoked] = await tx.prisma.apiKey.updateManyAndReturn({
      where: { ...where, revokedAt: null },
      data: { revokedAt: ctx.now, updatedAt: ctx.now, version: { increment: 1 } },
    });
    if (revoked) {
      const { id, version } = revoked;
      recordChange(tx, {
        type: 'api_key.revoked',
        objectType: 'ApiKey',
        objectId: id,
        sequence: version,
        snapshot: revoked,
      });
    } else if ((await tx.prisma.apiKey.count({ where })) === 0) {
      throw refusal('ApiKeyNotFound', ['input', 'apiKeyId'], 'There is no API key with this id in this mode.');
    }
    return { apiKeyId: where.id };
  });
}
