import type { IssueCustomerSessionInput } from '../generated/graphql.js';
import { recordChange } from '../events/recordChange.js';
import { refuseOtherBrands } from '../kernel/brand.js';
import { refuseErased } from '../kernel/erased.js';
import { newId, uuidOf } from '../kernel/id.js';
import { missing } from '../kernel/missing.js';
import { refuseIfAny, type UserErrorData } from '../kernel/refusal.js';
import { tenantOf, type RequestContext } from '../kernel/requestContext.js';
import { newToken, tokenHash } from '../kernel/secret.js';
import { checkRange } from '../kernel/text.js';
import { inTransaction } from '../kernel/transaction.js';
import { tokenPrefixes } from './authenticate.js';

const DEFAULT_SECONDS = 3_600;

/**
 * Opens a session for one customer.
 * @returns its id and its token: shown once
 * @throws Refusal InvalidInput, CustomerNotFound, ModeMismatch, BrandMismatch, CustomerErased
 */
export async function issueCustomerSession(
  ctx: RequestContext,
  input: IssueCustomerSessionInput,
): Promise<{ customerSessionId: string; token: string }> {
  const { viewer, now } = ctx;
  if (viewer.principal !== 'API_KEY') throw new Error('sessions are issued by API keys');
  const problems: UserErrorData[] = [];
  checkRange(problems, ['input', 'expiresInSeconds'], input.expiresInSeconds, 60, 86_400);
  refuseIfAny(problems);
  const tenant = tenantOf(ctx);
  const seconds = input.expiresInSeconds ?? DEFAULT_SECONDS;
  return inTransaction(ctx, async (tx) => {
    const customerId = uuidOf('Customer', input.customerId);
    const customer = await tx.prisma.customer.findFirst({ where: { ...tenant, id: customerId } });
    if (!customer) {
      const message = 'There is no customer with this id.';
      throw await missing(tx, 'Customer', customerId, ['input', 'customerId'], 'CustomerNotFound', message);
    }
    refuseOtherBrands(ctx, { brandId: customer.brandId, path: ['input', 'customerId'] });
    refuseErased(customer, ['input', 'customerId']);
    const token = newToken(tokenPrefixes.session[tenant.mode]);
    const session = await tx.prisma.customerSession.create({
      data: {
        ...tenant,
        id: newId(),
        customerId,
        apiKeyId: viewer.apiKeyId,
        tokenHash: new Uint8Array(tokenHash(token)),
        expiresAt: new Date(now.getTime() + seconds * 1_000),
        createdAt: now,
        updatedAt: now,
      },
    });
    const { id } = session;
    recordChange(tx, {
      type: 'customer_session.issued',
      objectType: 'CustomerSession',
      objectId: id,
      sequence: 1,
      snapshot: session,
    });
    return { customerSessionId: id, token };
  });
}
