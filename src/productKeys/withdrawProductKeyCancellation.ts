import type { WithdrawProductKeyCancellationInput } from '../generated/graphql.js';
import { refusal } from '../kernel/refusal.js';
import type { RequestContext } from '../kernel/requestContext.js';
import { inSqlTransaction } from '../kernel/transaction.js';
import { checkedReason } from '../licenseKeys/licenseKey.js';
import { refuseWordsAboutErased } from '../licenseKeys/refuseWords.js';
import { changeProductKey } from './changeProductKey.js';
import { lockProductKey, refuseEnded } from './lockProductKey.js';

/**
 * Drops the cancellation that is scheduled for the end of a product key's period: it goes on after it. What has come true by now is
 * no longer scheduled.
 * @throws Refusal InvalidInput, ProductKeyNotFound, ModeMismatch, BrandMismatch, StaleObject, CustomerErased, ProductKeyEnded, NothingPending
 */
export async function withdrawProductKeyCancellation(
  ctx: RequestContext,
  input: WithdrawProductKeyCancellationInput,
): Promise<{ productKeyId: string; customerId: string }> {
  const reason = checkedReason(input.reason);
  return inSqlTransaction(ctx, async (tx) => {
    const key = await lockProductKey(tx, input);
    await refuseWordsAboutErased(tx, key, { reason });
    refuseEnded(key);
    if (key.cancelAt === null) {
      throw refusal('NothingPending', ['input', 'productKeyId'], 'No cancellation of the product key is scheduled.');
    }
    await changeProductKey(tx, key, { cancelAt: null }, { type: 'product_key.cancellation_withdrawn', reason });
    return { productKeyId: key.id, customerId: key.customerId };
  });
}
