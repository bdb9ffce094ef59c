import type { CancelProductKeyInput } from '../generated/graphql.js';
import type { ProductKey, ProductKeyMeter, ProductKeyPayment } from '../generated/prisma/client.js';
import { refusal } from '../kernel/refusal.js';
import type { RequestContext } from '../kernel/requestContext.js';
import { inTransaction, type Tx } from '../kernel/transaction.js';
import { checkedReason } from '../licenseKeys/licenseKey.js';
import { refuseWordsAboutErased } from '../licenseKeys/refuseWords.js';
import { changeProductKey } from './changeProductKey.js';
import { cancelledEarly, creditOwner, findOwnersWallet } from './creditOwner.js';
import { byClock, transition } from './life.js';
import { closeLast } from './lockMeters.js';
import { illegalTransition, lockProductKey } from './lockProductKey.js';
import { meterAsOf } from './meter.js';
import { readMeter, readUnusedPayments } from './readTerms.js';
import { creditsOf } from './unusedCredit.js';

interface Cancelled {
  productKeyId: string;
  customerId: string;
  ledgerEntryIds: string[];
}

/**
 * Ends a product key: at the end of its period, or at once where that is allowed or while it has not started. Ending it at once
 * credits what was paid and is not used. Cancelling again for the period's end changes nothing; one that was to end then can
 * still be ended at once.
 * @throws Refusal InvalidInput, ProductKeyNotFound, ModeMismatch, BrandMismatch, StaleObject, CustomerErased, IllegalProductKeyTransition,
 *   MidPeriodCancellationNotAllowed, WalletNotFound, CurrencyMismatch, BalanceLimitExceeded
 */
export async function cancelProductKey(ctx: RequestContext, input: CancelProductKeyInput): Promise<Cancelled> {
  const reason = checkedReason(input.reason);
  return inTransaction(ctx, async (tx) => {
    const key = await lockProductKey(tx, input);
    await refuseWordsAboutErased(tx, key, { reason });
    const clock = byClock(key, ctx.now);
    if (transition(key.status, 'cancel', clock) === null) throw illegalTransition(key, 'cancel', 'CANCELLED', ctx.now);
    const wallet = input.walletId == null ? null : await findOwnersWallet(tx, key, input.walletId);
    const payments = await readUnusedPayments(tx, key);
    const periodEnd = endOfPeriod(key, payments, await readMeter(tx, key), ctx.now);
    const refs = { productKeyId: key.id, customerId: key.customerId };
    const isNow = clock === 'SCHEDULED' || periodEnd === null || input.at === 'NOW';
    if (isNow) {
      refuseMidPeriod(key, input, periodEnd, clock === 'SCHEDULED' || periodEnd === null);
      await endNow(tx, key, reason);
      const credits = creditsOf(payments, ctx.now, clock === 'TRIALING' ? key.trialEndsAt : null);
      return { ...refs, ledgerEntryIds: await creditOwner(tx, key, credits, wallet, cancelledEarly(key)) };
    }
    const change = { cancelAt: periodEnd };
    await changeProductKey(tx, key, change, { type: 'product_key.cancellation_scheduled', reason });
    return { ...refs, ledgerEntryIds: [] };
  });
}

function refuseMidPeriod(key: ProductKey, input: CancelProductKeyInput, periodEnd: Date | null, isFree: boolean): void {
  if (isFree || key.allowMidPeriodCancellation) return;
  const message = 'The product key does not allow cancellation within its period. Cancel it for the end of the period.';
  throw refusal('MidPeriodCancellationNotAllowed', ['input', 'at'], message, { periodEnd });
}

/** The end of what was paid for, of the trial, or of the quota's period; null: the key has no period that is not over. */
function endOfPeriod(
  key: ProductKey,
  payments: readonly ProductKeyPayment[],
  meter: ProductKeyMeter,
  now: Date,
): Date | null {
  const paidUntil = payments.flatMap(({ periodEndsAt }) => (periodEndsAt ? [periodEndsAt.getTime()] : []));
  if (paidUntil.length > 0) return new Date(Math.max(...paidUntil));
  if (byClock(key, now) === 'TRIALING') return key.trialEndsAt;
  return meterAsOf(meter, key.startsAt, now).periodEndsAt;
}

async function endNow(tx: Tx, key: ProductKey, reason: string | null): Promise<void> {
  const { now } = tx.ctx;
  const change = { status: 'CANCELLED', cancelAt: now, cancelledAt: now } as const;
  await closeLast(tx, await changeProductKey(tx, key, change, { type: 'product_key.cancelled', reason }));
}
