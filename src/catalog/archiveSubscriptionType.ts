import { recordUpdate } from '../events/recordUpdate.js';
import type { ArchiveSubscriptionTypeInput } from '../generated/graphql.js';
import { lockShared } from '../kernel/lockShared.js';
import { Refusal } from '../kernel/refusal.js';
import type { RequestContext } from '../kernel/requestContext.js';
import { inSqlTransaction } from '../kernel/transaction.js';
import { missingSubscriptionType } from './notFound.js';

/**
 * Archives a subscription type. Archiving again changes nothing.
 * @throws Refusal SubscriptionTypeNotFound
 */
export async function archiveSubscriptionType(
  ctx: RequestContext,
  input: ArchiveSubscriptionTypeInput,
): Promise<{ subscriptionTypeId: string }> {
  return inSqlTransaction(ctx, async (tx) => {
    const current = await lockShared(tx, 'SubscriptionType', input.subscriptionTypeId);
    if (!current) throw new Refusal([missingSubscriptionType(['input', 'subscriptionTypeId'])]);
    if (!current.archivedAt) {
      const change = { archivedAt: ctx.now };
      await recordUpdate(tx, 'subscription_type.archived', { model: 'SubscriptionType', current, change });
    }
    return { subscriptionTypeId: current.id };
  });
}
