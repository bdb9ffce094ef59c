import type { DisableProductKeyInput } from '../generated/graphql.js';
import type { RequestContext } from '../kernel/requestContext.js';
import { inSqlTransaction } from '../kernel/transaction.js';
import { checkedReason } from '../licenseKeys/licenseKey.js';
import { refuseWordsAboutErased } from '../licenseKeys/refuseWords.js';
import { byClock, transition } from './life.js';
import { illegalTransition, lockProductKey } from './lockProductKey.js';
import { switchOff } from './switchProductKey.js';

/**
 * Switches a product key off, and tells its owner. Of several callers at once, one does. One that a failed payment switched off is
 * off by hand then, so that no payment switches it on.
 * @throws Refusal InvalidInput, ProductKeyNotFound, ModeMismatch, BrandMismatch, StaleObject, CustomerErased, IllegalProductKeyTransition
 */
export async function disableProductKey(
  ctx: RequestContext,
  input: DisableProductKeyInput,
): Promise<{ productKeyId: string; customerId: string }> {
  const reason = checkedReason(input.reason);
  return inSqlTransaction(ctx, async (tx) => {
    const key = await lockProductKey(tx, input);
    await refuseWordsAboutErased(tx, key, { reason });
    const to = transition(key.status, 'disable', byClock(key, ctx.now));
    const isTakenOver = key.status === 'DISABLED' && key.disabledBy === 'PAYMENT';
    if (to === null && !isTakenOver) throw illegalTransition(key, 'disable', 'DISABLED', ctx.now);
    await switchOff(tx, key, { by: 'MANUAL', reason });
    return { productKeyId: key.id, customerId: key.customerId };
  });
}
