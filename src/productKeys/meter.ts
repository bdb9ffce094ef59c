import type { ProductKeyMeter, QuotaPeriod } from '../generated/prisma/client.js';
import { periodAt } from '../licenses/billingPeriod.js';

/** A period of a quota, half-open; one without an end never begins anew. */
export interface MeterPeriod {
  readonly start: Date;
  readonly end: Date | null;
}

/**
 * The period of a quota that an instant lies in; the first one for instants before the key's start.
 * @param startsAt of the key: anniversaries are its, and the first calendar period begins with it
 */
export function quotaPeriodAt(
  { quotaPeriod, quotaAnchor }: Pick<ProductKeyMeter, 'quotaPeriod' | 'quotaAnchor'>,
  startsAt: Date,
  at: Date,
): MeterPeriod {
  if (quotaPeriod === null) return { start: startsAt, end: null };
  if (quotaAnchor === 'ANNIVERSARY') return periodAt(quotaPeriod, startsAt, at);
  const period = periodAt(quotaPeriod, calendarStart(quotaPeriod, startsAt), at > startsAt ? at : startsAt);
  return { start: period.start > startsAt ? period.start : startsAt, end: period.end };
}

/** 00:00 UTC of the day, Monday, first of the month or 1 January that an instant lies behind. */
function calendarStart(unit: QuotaPeriod, at: Date): Date {
  const [year, month, day] = [at.getUTCFullYear(), at.getUTCMonth(), at.getUTCDate()];
  const start = new Date(0);
  if (unit === 'YEAR') start.setUTCFullYear(year, 0, 1);
  else if (unit === 'MONTH') start.setUTCFullYear(year, month, 1);
  else start.setUTCFullYear(year, month, unit === 'WEEK' ? day - ((at.getUTCDay() + 6) % 7) : day);
  return start;
}

/**
 * A meter as it is at an instant: in a period that it was not counted in yet, nothing is used. The one of a key that has ended
 * stays in the last period.
 */
export function meterAsOf(meter: ProductKeyMeter, startsAt: Date, now: Date): ProductKeyMeter {
  if (meter.closedAt !== null || meter.periodEndsAt === null || meter.periodEndsAt > now) return meter;
  const { start, end } = quotaPeriodAt(meter, startsAt, now);
  return { ...meter, consumed: 0n, periodStartsAt: start, periodEndsAt: end };
}

/** What is left of a meter's quota, as it is; null: there is no quota. */
export function remainingOf({ quota, consumed }: ProductKeyMeter): bigint | null {
  if (quota === null) return null;
  return consumed < quota ? quota - consumed : 0n;
}

/** What was used beyond the quota. */
export function overageOf({ quota, consumed }: ProductKeyMeter): bigint {
  return quota !== null && consumed > quota ? consumed - quota : 0n;
}

/** Whether a meter lets through what is used next. */
export function isOpen(meter: ProductKeyMeter): boolean {
  return meter.overQuota === 'METER' || remainingOf(meter) !== 0n;
}

/** Percent of a quota in thousandths: all of it. */
export const WHOLE = 100_000n;
const SCALE = 1_000;

/** Whether more of a meter's quota is used than its threshold says; equal is not exceeded. */
export function isThresholdExceeded({ quota, consumed, threshold }: ProductKeyMeter): boolean {
  return quota !== null && threshold !== null && consumed * WHOLE > quota * BigInt(threshold);
}

/** Whether a meter exceeds its threshold, of which nobody was told in this period. */
export function isThresholdDue(meter: ProductKeyMeter): boolean {
  return meter.thresholdNotifiedPeriod?.getTime() !== meter.periodStartsAt.getTime() && isThresholdExceeded(meter);
}

/** A percentage of up to three decimals, in thousandths; null: it is no such percentage from 0 to 100. */
export function thousandthsOf(percent: string): number | null {
  if (!/^\d{1,3}(\.\d{1,3})?$/.test(percent)) return null;
  const [whole, fraction = ''] = percent.split('.');
  const thousandths = Number(whole) * SCALE + Number(fraction.padEnd(3, '0'));
  return thousandths <= 100 * SCALE ? thousandths : null;
}

/** Thousandths of a percent as a decimal, such as `80.5`. */
export function percentOf(thousandths: number): string {
  return String(thousandths / SCALE);
}
