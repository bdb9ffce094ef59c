import type { RevokeCustomerSessionInput } from '../generated/graphql.js';
import { recordChange } from '../events/recordChange.js';
import { uuidOf } from '../kernel/id.js';
import { refusal } from '../kernel/refusal.js';
import { tenantOf, type RequestContext } from '../kernel/requestContext.js';
import { inTransaction } from '../kernel/transaction.js';

/**
 * Ends a customer's session before its time. Revoking again changes nothing.
 * @throws Refusal CustomerSessionNotFound
 */
export async function revokeCustomerSession(
  ctx: RequestContext,
  input: RevokeCustomerSessionInput,
): Promise<{ customerSessionId: string }> {
  const where = { ...tenantOf(ctx), id: uuidOf('CustomerSession', input.customerSessionId) };
  return inTransaction(ctx, async (tx) => {
    const [revoked] = await tx.prisma.customerSession.updateManyAndReturn({
      where: { ...where, revokedAt: null },
      data: { revokedAt: ctx.now, updatedAt: ctx.now, version: { increment: 1 } },
    });
    if (revoked) {
      const { id, version } = revoked;
      recordChange(tx, {
        type: 'customer_session.revoked',
        objectType: 'CustomerSession',
        objectId: id,
        sequence: version,
        snapshot: revoked,
      });
    } else if ((await tx.prisma.customerSession.count({ where })) === 0) {
      throw refusal('CustomerSessionNotFound', ['input', 'customerSessionId'], 'There is no session with this id.');
    }
    return { customerSessionId: where.id };
  });
}
