import type { Penalty } from '../slaDefinitions/terms.js';

/** What was paid for a billing period, and what breaches gave back of it before; minor units. */
export interface PaidPeriod {
  readonly paymentId: string;
  readonly currency: string;
  /** Without what a cancellation gave back. */
  readonly paidMinor: bigint;
  readonly creditedMinor: bigint;
}

/** What a breach gives back of a payment. */
export interface Share {
  readonly paymentId: string;
  readonly currency: string;
  readonly amountMinor: bigint;
}

/**
 * What a penalty gives back of each payment, in their order. A part: the basis points of each, rounded down. An amount: as it is,
 * taken of the payments in its currency, the first of them first. Never more of a payment than is left of it after what breaches
 * gave back before; payments that nothing is taken of are left out.
 */
export function sharesOf(
  { basisPoints, amountMinor, currency }: Pick<Penalty, 'basisPoints' | 'amountMinor' | 'currency'>,
  paid: readonly PaidPeriod[],
): Share[] {
  const shares: Share[] = [];
  let rest = BigInt(amountMinor ?? 0);
  for (const { paymentId, currency: paidIn, paidMinor, creditedMinor } of paid) {
    if (basisPoints === null && paidIn !== currency) continue;
    const owed = basisPoints === null ? rest : (paidMinor * BigInt(basisPoints)) / 10_000n;
    const left = paidMinor - creditedMinor;
    const share = owed < left ? owed : left;
    if (share <= 0n) continue;
    rest -= share;
    shares.push({ paymentId, currency: paidIn, amountMinor: share });
  }
  return shares;
}

/** Shares summed up by currency, the currencies in order. */
export function totalsOf(shares: readonly Pick<Share, 'currency' | 'amountMinor'>[]): Map<string, bigint> {
  const totals = new Map<string, bigint>();
  for (const { currency, amountMinor } of shares) totals.set(currency, (totals.get(currency) ?? 0n) + amountMinor);
  return new Map([...totals].sort(([left], [right]) => (left < right ? -1 : 1)));
}
