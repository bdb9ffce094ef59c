import type { License, ProductOffering } from '../generated/prisma/client.js';
import { periodAt, type Period } from './billingPeriod.js';

/** The terms of an offering that money follows from. */
export type Terms = Pick<ProductOffering, 'priceMinor' | 'billingPeriod'>;

/** What of a license says which of its periods is billed when. */
export type BilledWindow = Pick<License, 'validFrom' | 'validUntil' | 'billingSince'>;

/** What a change of offering settles, in minor units; neither is negative. */
export interface Proration {
  /** Given back of the old price. */
  readonly credit: bigint;
  /** To pay of the new one. */
  readonly charge: bigint;
}

const NOTHING: Proration = { credit: 0n, charge: 0n };

/**
 * What a change from one offering to another settles at an instant, taking the present billing period as paid at the old price.
 *
 * The part of that period that is not used yet is credited at the old price. Where the new offering is billed in the same rhythm,
 * the same part is charged at the new price, and the periods go on as they were; else a new period begins, and is charged whole.
 * A license that has not started has its whole first period unused. At the very instant where two periods meet, nothing is
 * settled: the old one is used up, the next one is billed in full at the new price by whoever bills it.
 *
 * A price that is paid once has no period: it counts in full against another such price, and nothing of it is ever paid back.
 * A license that ends within a period is given, and owes, nothing for what lies behind its end.
 *
 * Parts are by milliseconds. Credits are rounded down and charges up to the minor unit, so however a time is cut into pieces by
 * changes, the vendor never loses by it; between equal prices in one rhythm nothing is lost either way.
 */
export function prorate(window: BilledWindow, from: Terms, to: Terms, at: Date): Proration {
  const anchor = window.billingSince ?? window.validFrom;
  const start = at > window.validFrom ? at : window.validFrom;
  if (from.billingPeriod === 'ONE_TIME') {
    const charge = firstCharge(window, to, start);
    const isOnceToo = to.billingPeriod === 'ONE_TIME';
    return { credit: isOnceToo ? least(from.priceMinor, to.priceMinor) : 0n, charge };
  }
  const period = periodAt(from.billingPeriod, anchor, start);
  if (period.start > anchor && period.start.getTime() === start.getTime()) return NOTHING;
  const credit = part(from.priceMinor, unused(window, period, start), period, 'DOWN');
  if (from.billingPeriod !== to.billingPeriod) return { credit, charge: firstCharge(window, to, start) };
  if (from.priceMinor === to.priceMinor) return { credit, charge: credit };
  return { credit, charge: part(to.priceMinor, unused(window, period, start), period, 'UP') };
}

/** The price of the period that begins with the change: all of it, unless the license ends before. */
function firstCharge(window: BilledWindow, { priceMinor, billingPeriod }: Terms, start: Date): bigint {
  if (billingPeriod === 'ONE_TIME') return priceMinor;
  const period = periodAt(billingPeriod, start, start);
  return part(priceMinor, unused(window, period, start), period, 'UP');
}

/** Milliseconds of a period that lie behind an instant in it and before the license's end. */
function unused({ validUntil }: BilledWindow, { end }: Period, at: Date): bigint {
  const until = validUntil !== null && validUntil < end ? validUntil : end;
  return BigInt(Math.max(0, until.getTime() - at.getTime()));
}

function part(price: bigint, milliseconds: bigint, { start, end }: Period, rounding: 'UP' | 'DOWN'): bigint {
  const length = BigInt(end.getTime() - start.getTime());
  return (price * milliseconds + (rounding === 'UP' ? length - 1n : 0n)) / length;
}

function least(left: bigint, right: bigint): bigint {
  return left < right ? left : right;
}
