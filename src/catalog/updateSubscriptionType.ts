import { recordUpdate } from '../events/recordUpdate.js';
import type { UpdateSubscriptionTypeInput } from '../generated/graphql.js';
import type { SubscriptionType } from '../generated/prisma/client.js';
import { lockShared } from '../kernel/lockShared.js';
import { Refusal, refuseIfAny, type UserErrorData } from '../kernel/refusal.js';
import type { RequestContext } from '../kernel/requestContext.js';
import { checkLength, checkMetadata, checkNotNull, checkRange, mergedMetadataWithin } from '../kernel/text.js';
import { inSqlTransaction } from '../kernel/transaction.js';
import { refuseIfStale } from '../kernel/version.js';
import { missingSubscriptionType } from './notFound.js';
import { nameTaken } from './subscriptionTypeName.js';

/**
 * Changes a subscription type: absent leaves, metadata merges. Licenses that were sold keep their windows.
 * @throws Refusal InvalidInput, SubscriptionTypeNotFound, StaleObject, NameTaken
 */
export async function updateSubscriptionType(
  ctx: RequestContext,
  input: UpdateSubscriptionTypeInput,
): Promise<{ subscriptionTypeId: string }> {
  refuseIfAny(problemsOf(input));
  return inSqlTransaction(
    ctx,
    async (tx) => {
      const current = await lockShared(tx, 'SubscriptionType', input.subscriptionTypeId);
      if (!current) throw new Refusal([missingSubscriptionType(['input', 'subscriptionTypeId'])]);
      refuseIfStale(current, input.expectedVersion);
      const change: Partial<SubscriptionType> = { metadata: mergedMetadataWithin(current.metadata, input.metadata) };
      if (input.name != null) change.name = input.name.trim();
      if (input.days != null) change.days = input.days;
      await recordUpdate(tx, 'subscription_type.updated', { model: 'SubscriptionType', current, change });
      return { subscriptionTypeId: current.id };
    },
    nameTaken,
  );
}

function problemsOf(input: UpdateSubscriptionTypeInput): UserErrorData[] {
  const problems: UserErrorData[] = [];
  checkNotNull(problems, input, 'name', 'days');
  checkLength(problems, ['input', 'name'], input.name?.trim(), 1, 255);
  checkRange(problems, ['input', 'days'], input.days, 1, 36_500);
  checkMetadata(problems, ['input', 'metadata'], input.metadata);
  return problems;
}
