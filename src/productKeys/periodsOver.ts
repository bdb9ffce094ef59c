import type { ProductKey, ProductKeyMeter } from '../generated/prisma/client.js';
import { periodsLater } from '../licenses/billingPeriod.js';
import type { CountedTime } from '../pricing/charge.js';
import { countedTime } from '../pricing/countedTime.js';
import { hasEnded } from './life.js';
import { quotaPeriodAt } from './meter.js';

type Life = Pick<ProductKey, 'status' | 'startsAt' | 'cancelAt' | 'cancelledAt' | 'expiresAt' | 'expiredAt'>;

/** A period that is over, with the meter as it stood in it. */
export interface OverPeriod {
  readonly meter: ProductKeyMeter;
  /** Its end; earlier than the meter's where the key ended within it. */
  readonly endsAt: Date;
}

/** When a product key has ended, whether or not that is written; null: it has not. */
export function endedAt({ status, cancelAt, cancelledAt, expiresAt, expiredAt }: Life, now: Date): Date | null {
  if (hasEnded(status)) return cancelledAt ?? expiredAt;
  const ends = [cancelAt, expiresAt].flatMap((at) => (at !== null && at <= now ? [at.getTime()] : []));
  return ends.length > 0 ? new Date(Math.min(...ends)) : null;
}

/**
 * The periods of a stored meter that are over at an instant, and the meter that follows them. The last one ends with the key; the
 * meter is closed then, once it is written that the key has ended: until that, whoever is behind this clock can move the end.
 * @param most at most so many; where there are more, the meter is of one that is over
 */
export function periodsOver(
  stored: ProductKeyMeter,
  key: Life,
  now: Date,
  most = Infinity,
): { over: OverPeriod[]; meter: ProductKeyMeter } {
  const over: OverPeriod[] = [];
  const end = endedAt(key, now);
  let meter = stored;
  while (meter.closedAt === null) {
    const { periodStartsAt: startsAt, periodEndsAt } = meter;
    if (end !== null && (periodEndsAt === null || end < periodEndsAt)) {
      if (!hasEnded(key.status)) break;
      const last = lastEnd(meter, key, end);
      if (last > startsAt) over.push({ meter, endsAt: last });
      return { over, meter: { ...meter, closedAt: now } };
    }
    if (periodEndsAt === null || periodEndsAt > now || over.length >= most) break;
    over.push({ meter, endsAt: periodEndsAt });
    const next = quotaPeriodAt(meter, key.startsAt, periodEndsAt);
    meter = { ...meter, consumed: 0n, periodStartsAt: next.start, periodEndsAt: next.end };
  }
  return { over, meter };
}

/** What was used by a caller whose clock is ahead of the one that ended the key was used, too: no use is without a statement. */
function lastEnd({ consumed, periodStartsAt }: ProductKeyMeter, { startsAt }: Life, end: Date): Date {
  const isUsed = consumed > 0n && end > startsAt;
  return isUsed && end <= periodStartsAt ? new Date(periodStartsAt.getTime() + 1) : end;
}

/** How much of a meter's period counts for what a period costs. @param end of the period; null: it has none yet */
export function timeOf(
  { startsAt, trialEndsAt }: Pick<ProductKey, 'startsAt' | 'trialEndsAt'>,
  { periodStartsAt: start, periodEndsAt, quotaPeriod, quotaAnchor }: ProductKeyMeter,
  end: Date | null,
): CountedTime {
  // The first calendar period begins with the key, somewhere in its day, week, month or year.
  const isPart = quotaAnchor === 'CALENDAR' && start.getTime() === startsAt.getTime();
  const from = isPart && quotaPeriod && periodEndsAt ? periodsLater(periodEndsAt, quotaPeriod, -1) : start;
  return countedTime({ start, end, whole: { start: from, end: periodEndsAt }, trialEndsAt });
}
