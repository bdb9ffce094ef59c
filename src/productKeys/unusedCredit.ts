import type { ProductKeyPayment } from '../generated/prisma/client.js';

/** What of a payment decides about what is given back of it. */
export type PaidPeriod = Pick<ProductKeyPayment, 'amountMinor' | 'currency' | 'periodStartsAt' | 'periodEndsAt'> & {
  /** What breaches of SLAs gave back of it before; absent: nothing. */
  readonly creditedMinor?: bigint;
};

/**
 * What a cancellation at an instant gives back of a payment, in minor units: its amount times the milliseconds of its period that
 * are not used yet through all milliseconds of it, rounded down. All of it where the period has not begun, nothing where it is over.
 * Never more than is left of the payment after what breaches of SLAs gave back.
 */
export function unusedCredit(
  { amountMinor, periodStartsAt, periodEndsAt, creditedMinor = 0n }: PaidPeriod,
  at: Date,
): bigint {
  if (amountMinor === null || periodStartsAt === null || periodEndsAt === null) return 0n;
  const length = BigInt(periodEndsAt.getTime() - periodStartsAt.getTime());
  const from = at > periodStartsAt ? at : periodStartsAt;
  const unused = BigInt(Math.max(0, periodEndsAt.getTime() - from.getTime()));
  const credit = (amountMinor * unused) / length;
  const left = amountMinor - creditedMinor;
  return credit < left ? credit : left;
}

/**
 * What a cancellation gives back of all payments, by currency, in their order; currencies that get nothing are left out. During a
 * trial nothing is given for a period that the trial is part of: only what was paid ahead for the time after it.
 * @param trialEndsAt null: the key is in no trial
 */
export function creditsOf(payments: readonly PaidPeriod[], at: Date, trialEndsAt: Date | null): Map<string, bigint> {
  const credits = new Map<string, bigint>();
  for (const payment of payments) {
    const { currency, periodStartsAt } = payment;
    if (currency === null || periodStartsAt === null || (trialEndsAt !== null && periodStartsAt < trialEndsAt))
      continue;
    const credit = unusedCredit(payment, at);
    if (credit > 0n) credits.set(currency, (credits.get(currency) ?? 0n) + credit);
  }
  return new Map([...credits].sort(([left], [right]) => (left < right ? -1 : 1)));
}
