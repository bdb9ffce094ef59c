import type { CountedTime } from './charge.js';

/** A period, and what it is part of. */
export interface PeriodTime {
  readonly start: Date;
  /** Null: it has no end yet. */
  readonly end: Date | null;
  /** The whole that it is all of, or what is left of it after a late start or before an early end. */
  readonly whole: { readonly start: Date; readonly end: Date | null };
  /** Null: there is no trial. */
  readonly trialEndsAt: Date | null;
}

/**
 * How much of a period counts for what a period costs: the time within it that is not in the trial, of the whole period. One
 * without an end counts as a whole, or, when it ended in the trial, not at all.
 */
export function countedTime({ start, end, whole, trialEndsAt }: PeriodTime): CountedTime {
  if (whole.end === null || end === null) {
    const isTrialOnly = end !== null && trialEndsAt !== null && end <= trialEndsAt;
    return { whole: 1n, uncounted: isTrialOnly ? 1n : 0n };
  }
  const from = trialEndsAt !== null && trialEndsAt > start ? trialEndsAt : start;
  const length = whole.end.getTime() - whole.start.getTime();
  const counted = Math.max(0, end.getTime() - from.getTime());
  return { whole: BigInt(length), uncounted: BigInt(length - counted) };
}
