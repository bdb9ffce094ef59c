import type { BillingPeriod } from '../generated/prisma/client.js';
import { monthsLater } from '../kernel/calendar.js';

/** A period of billing, half-open. */
export interface Period {
  readonly start: Date;
  readonly end: Date;
}

/** Billing periods that come again. */
export type RecurringPeriod = Exclude<BillingPeriod, 'ONE_TIME'>;

const DAY = 86_400_000;
const months: Partial<Record<RecurringPeriod, number>> = { MONTH: 1, YEAR: 12 };

/**
 * How long the periods are, to compare prices of different ones: a year is 365.2425 days and twelve months, in 1/4800 days, so
 * that all are whole numbers.
 */
export const weights: Readonly<Record<RecurringPeriod, bigint>> = {
  DAY: 4_800n,
  WEEK: 33_600n,
  MONTH: 146_097n,
  YEAR: 1_753_164n,
};

/** The instant so many periods after an anchor; months and years by the calendar, counted from the anchor itself. */
export function periodsLater(anchor: Date, unit: RecurringPeriod, count: number): Date {
  const step = months[unit];
  if (step !== undefined) return monthsLater(anchor, count * step);
  return new Date(anchor.getTime() + count * DAY * (unit === 'WEEK' ? 7 : 1));
}

/**
 * The period that an instant lies in; the first one for instants before the anchor. A month that began on 31 January ends on 28
 * or 29 February, and the next one on 31 March: the anchor's day is kept, not what a short month made of it.
 */
export function periodAt(unit: RecurringPeriod, anchor: Date, at: Date): Period {
  let count = Math.max(0, estimatedCount(unit, anchor, at));
  while (count > 0 && periodsLater(anchor, unit, count) > at) count--;
  while (periodsLater(anchor, unit, count + 1) <= at) count++;
  return { start: periodsLater(anchor, unit, count), end: periodsLater(anchor, unit, count + 1) };
}

function estimatedCount(unit: RecurringPeriod, anchor: Date, at: Date): number {
  const step = months[unit];
  if (step === undefined) return Math.floor((at.getTime() - anchor.getTime()) / (DAY * (unit === 'WEEK' ? 7 : 1)));
  const passed = (at.getUTCFullYear() - anchor.getUTCFullYear()) * 12 + at.getUTCMonth() - anchor.getUTCMonth();
  return Math.floor(passed / step);
}
