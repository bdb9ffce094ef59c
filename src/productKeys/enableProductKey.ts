import type { EnableProductKeyInput } from '../generated/graphql.js';
import type { RequestContext } from '../kernel/requestContext.js';
import { inSqlTransaction } from '../kernel/transaction.js';
import { checkedReason } from '../licenseKeys/licenseKey.js';
import { refuseWordsAboutErased } from '../licenseKeys/refuseWords.js';
import { byClock, transition } from './life.js';
import { illegalTransition, lockProductKey } from './lockProductKey.js';
import { switchOn } from './switchProductKey.js';

/**
 * Switches a disabled product key on again, whatever disabled it: it is then what the clock gives.
 * @throws Refusal InvalidInput, ProductKeyNotFound, ModeMismatch, BrandMismatch, StaleObject, CustomerErased, IllegalProductKeyTransition
 */
export async function enableProductKey(
  ctx: RequestContext,
  input: EnableProductKeyInput,
): Promise<{ productKeyId: string; customerId: string }> {
  const reason = checkedReason(input.reason);
  return inSqlTransaction(ctx, async (tx) => {
    const key = await lockProductKey(tx, input);
    await refuseWordsAboutErased(tx, key, { reason });
    const to = transition(key.status, 'enable', byClock(key, ctx.now));
    if (to === null) throw illegalTransition(key, 'enable', 'ACTIVE', ctx.now);
    await switchOn(tx, key, reason);
    return { productKeyId: key.id, customerId: key.customerId };
  });
}
