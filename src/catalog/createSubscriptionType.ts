import { recordChange } from '../events/recordChange.js';
import type { CreateSubscriptionTypeInput } from '../generated/graphql.js';
import { newId } from '../kernel/id.js';
import { refuseIfAny, type UserErrorData } from '../kernel/refusal.js';
import { tenantOf, type RequestContext } from '../kernel/requestContext.js';
import { checkLength, checkMetadata, checkRange, mergedMetadata } from '../kernel/text.js';
import { inTransaction } from '../kernel/transaction.js';
import { nameTaken } from './subscriptionTypeName.js';

/**
 * Creates a subscription type.
 * @throws Refusal InvalidInput, NameTaken
 */
export async function createSubscriptionType(
  ctx: RequestContext,
  input: CreateSubscriptionTypeInput,
): Promise<{ subscriptionTypeId: string }> {
  const problems: UserErrorData[] = [];
  checkLength(problems, ['input', 'name'], input.name.trim(), 1, 255);
  checkRange(problems, ['input', 'days'], input.days, 1, 36_500);
  checkMetadata(problems, ['input', 'metadata'], input.metadata);
  refuseIfAny(problems);
  return inTransaction(
    ctx,
    async (tx) => {
      const subscriptionType = await tx.prisma.subscriptionType.create({
        data: {
          businessId: tenantOf(ctx).businessId,
          id: newId(),
          name: input.name.trim(),
          days: input.days,
          metadata: mergedMetadata({}, input.metadata),
          createdAt: ctx.now,
          updatedAt: ctx.now,
        },
      });
      recordChange(tx, {
        type: 'subscription_type.created',
        objectType: 'SubscriptionType',
        objectId: subscriptionType.id,
        sequence: 1,
        snapshot: subscriptionType,
      });
      return { subscriptionTypeId: subscriptionType.id };
    },
    nameTaken,
  );
}
