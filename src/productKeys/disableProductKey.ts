import type { DisableProductKeyInput } from '../generated/graphql.js';
import type { RequestContext } from '../kernel/requestContext.js';
import { inSqlTransaction } from '../kernel/transaction.js';
import { byClock, transition } from './life.js';
import { checkedReason, illegalTransition, lockProductKey } from './lockProductKey.js';
import { switchOff } from './switchProductKey.js';

/**
 * Switches a product key off, and tells its owner. Of several callers at once, one does.
 * @throws Refusal InvalidInput, ProductKeyNotFound, ModeMismatch, BrandMismatch, StaleObject, IllegalProductKeyTransition
 */
export async function disableProductKey(
  ctx: RequestContext,
  input: DisableProductKeyInput,
): Promise<{ productKeyId: string; customerId: string }> {
  const reason = checkedReason(input.reason);
  return inSqlTransaction(ctx, async (tx) => {
    const key = await lockProductKey(tx, input);
    const to = transition(key.status, 'disable', byClock(key, ctx.now));
    if (to === null) throw illegalTransition(key, 'disable', 'DISABLED', ctx.now);
    await switchOff(tx, key, { by: 'MANUAL', reason });
    return { productKeyId: key.id, customerId: key.customerId };
  });
}
