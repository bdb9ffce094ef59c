import type { OfferingChangeSchedule } from '../generated/graphql.js';
import type { License, ProductOffering } from '../generated/prisma/client.js';
import { monthsLater } from '../kernel/calendar.js';
import { refusal, userError, Refusal, type UserErrorData } from '../kernel/refusal.js';
import { weights } from './billingPeriod.js';
import type { DueLicense } from '../lifecycle/dueChanges.js';
import { validityOf } from './license.js';
import { prorate, type Proration } from './prorate.js';

/** A change of offering as it will be, or was, carried out. */
export interface OfferingChangePlan {
  readonly from: ProductOffering;
  readonly to: ProductOffering;
  readonly changeSchedule: OfferingChangeSchedule;
  readonly changeDate: Date;
  readonly proration: Proration;
  /** Until when the new offering binds. */
  readonly boundUntil: Date;
}

/** When a change may be made at the earliest. */
export interface EarliestChange {
  readonly changeSchedule: OfferingChangeSchedule;
  readonly changeDate: Date;
}

const offeringPath = ['input', 'productOfferingId'];

/**
 * Whether an offering costs less than another. Prices in one rhythm are compared as they stand; those of two recurring rhythms
 * by what they cost in the same time; one that is paid once and one that recurs, again as they stand.
 */
export function isLower(to: ProductOffering, from: ProductOffering): boolean {
  if (to.billingPeriod === 'ONE_TIME' || from.billingPeriod === 'ONE_TIME') return to.priceMinor < from.priceMinor;
  return to.priceMinor * weights[from.billingPeriod] < from.priceMinor * weights[to.billingPeriod];
}

/** Until when an offering binds a license that has it since an instant: calendar months, to the end of shorter ones. */
export function boundUntil(offering: ProductOffering, since: Date): Date {
  return monthsLater(since, offering.boundMonths);
}

/** The earliest change: at once to what does not cost less, or once the present offering binds no more; else at the end of that. */
export function earliestChange(
  license: Pick<License, 'offeringSince' | 'validFrom'>,
  from: ProductOffering,
  to: ProductOffering,
  now: Date,
): EarliestChange {
  const bound = boundUntil(from, license.offeringSince ?? license.validFrom);
  return isLower(to, from) && bound > now
    ? { changeSchedule: 'END_OF_BOUND_PERIOD', changeDate: bound }
    : { changeSchedule: 'INSTANT', changeDate: now };
}

/** Before when a license must change at the latest: its end, or a cancellation that is scheduled; null: it has neither. */
export function latestChange({ validUntil, pendingStatus, pendingStatusAt }: DueLicense): Date | null {
  const cancelled = pendingStatus === 'CANCELLED' ? pendingStatusAt : null;
  return validUntil !== null && cancelled !== null && cancelled < validUntil ? cancelled : (validUntil ?? cancelled);
}

/** Whether an offering is one that a license of another may change to: available, of the same product, group and currency. */
export function isOption(to: ProductOffering, from: ProductOffering): boolean {
  return to.id !== from.id && to.status === 'AVAILABLE' && areAkin(to, from);
}

function areAkin(to: ProductOffering, from: ProductOffering): boolean {
  return to.productId === from.productId && to.groupName === from.groupName && to.currency === from.currency;
}

/** The refusal for a license, as it is at an instant, whose status or window does not allow what was asked for. */
export function illegalState(license: License, now: Date, message: string, path = ['input', 'licenseId']): Refusal {
  const { status } = license;
  return refusal('IllegalLicenseState', path, message, { status, validity: validityOf(license, now) });
}

/**
 * The one plan of a change, which the preview shows and the change carries out.
 * @param license as it is at `now`, with what is due
 * @param at when the caller wants it; null: as early as can be
 * @throws Refusal IllegalLicenseState, SameProductOffering, ProductOfferingUnavailable, ProductOfferingNotAnOption,
 *   ChangeDateOutOfRange
 */
export function planOfferingChange(
  license: License,
  { from, to, at, now }: { from: ProductOffering; to: ProductOffering; at: Date | null; now: Date },
): OfferingChangePlan {
  refuseIfOver(license, now);
  const problem = notAnOption(to, from);
  if (problem) throw new Refusal([problem]);
  const earliest = earliestChange(license, from, to, now);
  const latest = latestChange(license);
  const changeDate = at ?? earliest.changeDate;
  if (changeDate < earliest.changeDate || (latest !== null && changeDate >= latest)) {
    throw outOfRange(earliest, latest, at, now);
  }
  const isLater = changeDate > earliest.changeDate;
  return {
    from,
    to,
    changeSchedule: isLater ? 'ON_DATE' : earliest.changeSchedule,
    changeDate,
    proration: prorate(license, from, to, changeDate),
    boundUntil: boundUntil(to, changeDate > license.validFrom ? changeDate : license.validFrom),
  };
}

function refuseIfOver(license: License, now: Date): void {
  if (license.status === 'CANCELLED') throw illegalState(license, now, 'The license is cancelled. That is final.');
  if (validityOf(license, now) !== 'EXPIRED') return;
  throw illegalState(license, now, 'The license has ended. Renew it, and change the renewal.');
}

function notAnOption(to: ProductOffering, from: ProductOffering): UserErrorData | null {
  if (to.id === from.id)
    return userError('SameProductOffering', offeringPath, 'The license has this offering already.');
  if (!areAkin(to, from)) {
    const message =
      'It is no option of this license: another product, group or currency. Read its `productOfferingOptions`.';
    return userError('ProductOfferingNotAnOption', offeringPath, message);
  }
  if (to.status === 'AVAILABLE') return null;
  const message = 'No licenses change to this offering any more. Read the `productOfferingOptions` of the license.';
  return userError('ProductOfferingUnavailable', offeringPath, message);
}

function outOfRange(
  { changeSchedule, changeDate: earliest }: EarliestChange,
  latest: Date | null,
  at: Date | null,
  now: Date,
): Refusal {
  const from =
    changeSchedule === 'END_OF_BOUND_PERIOD'
      ? `The present offering binds until ${earliest.toISOString()}, and the new one costs less: not before that`
      : at !== null && at < now
        ? 'That has passed. Leave `at` out to change at once, or give an instant in the future'
        : 'At once, at the earliest';
  const until = latest === null ? '' : `; the license ends at ${latest.toISOString()}, and must change before that`;
  return refusal('ChangeDateOutOfRange', ['input', at === null ? 'productOfferingId' : 'at'], `${from}${until}.`, {
    earliest,
    latest,
  });
}

/** The columns of a license that a change of offering at an instant sets; `pending…` are cleared with it. */
export function afterOfferingChange(
  license: License,
  { from, to, changeDate }: Pick<OfferingChangePlan, 'from' | 'to' | 'changeDate'>,
) {
  const hasStarted = changeDate > license.validFrom;
  return {
    productOfferingId: to.id,
    type: to.licenseType,
    // What changes before the start binds, and is billed, from the start.
    offeringSince: hasStarted ? changeDate : null,
    billingSince: from.billingPeriod === to.billingPeriod ? license.billingSince : hasStarted ? changeDate : null,
    pendingOfferingId: null,
    pendingOfferingAt: null,
  } satisfies Partial<License>;
}

/** An offering that a license may change to, and when at the earliest. */
export interface OfferingOption extends EarliestChange {
  readonly productOffering: ProductOffering;
}

/**
 * What a license may change to: nothing once it is cancelled or has ended, nor what binds it until after its end.
 * @param license as it is at `now`
 */
export function offeringOptions(
  license: DueLicense & Pick<License, 'offeringSince'>,
  { from, options }: { from: ProductOffering; options: readonly ProductOffering[] },
  now: Date,
): OfferingOption[] {
  if (license.status === 'CANCELLED' || validityOf(license, now) === 'EXPIRED') return [];
  const latest = latestChange(license);
  return options
    .filter((option) => isOption(option, from))
    .map((productOffering) => ({ productOffering, ...earliestChange(license, from, productOffering, now) }))
    .filter(({ changeDate }) => latest === null || changeDate < latest);
}
