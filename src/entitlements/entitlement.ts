import type { Duration, DurationUnit, FulfillmentMode, LicenseKeyConfigurationInput } from '../generated/graphql.js';
import type { Entitlement } from '../generated/prisma/client.js';
import { monthsLater } from '../kernel/calendar.js';
import { uuidOf } from '../kernel/id.js';
import { userError, type UserErrorData } from '../kernel/refusal.js';
import { checkLength, checkRange, presentText } from '../kernel/text.js';

/** Hours that an agent has for a manual grant unless the entitlement says otherwise. */
const DEFAULT_FULFILL_WITHIN_HOURS = 24;
const DAY = 86_400_000;

/** What is wrong with how license keys shall be given: InvalidActivationsLimit, InvalidInput; all at once, no I/O. */
export function licenseKeyProblems(
  path: readonly string[],
  configuration: LicenseKeyConfigurationInput,
): UserErrorData[] {
  const problems: UserErrorData[] = [];
  const { fulfillmentMode, activationsLimit, duration, fulfillWithinHours } = configuration;
  if (activationsLimit != null && activationsLimit < 1) {
    const message = `Give 1 or more, or leave it out for any number; it is ${activationsLimit}.`;
    problems.push(userError('InvalidActivationsLimit', [...path, 'activationsLimit'], message));
  }
  checkRange(problems, [...path, 'duration', 'count'], duration?.count, 1, 1000);
  const activationMessage = presentText(configuration.activationMessage);
  checkLength(problems, [...path, 'activationMessage'], activationMessage, 1, 2500);
  checkRange(problems, [...path, 'fulfillWithinHours'], fulfillWithinHours, 1, 8760);
  if (fulfillWithinHours != null && fulfillmentMode !== 'MANUAL') {
    const message = 'Keys are given at once in AUTO mode. Leave it out, or use MANUAL mode.';
    problems.push(userError('InvalidInput', [...path, 'fulfillWithinHours'], message));
  }
  if (configuration.licenseKeyPoolId != null && fulfillmentMode === 'MANUAL') {
    const message = 'Nobody supplies the keys of a pool by hand. Leave it out, or use AUTO mode.';
    problems.push(userError('InvalidInput', [...path, 'licenseKeyPoolId'], message));
  }
  return problems;
}

/** A configuration that was checked, as columns. */
export function licenseKeyColumns(configuration: LicenseKeyConfigurationInput) {
  const fulfillmentMode = configuration.fulfillmentMode ?? 'AUTO';
  const withinHours = configuration.fulfillWithinHours ?? DEFAULT_FULFILL_WITHIN_HOURS;
  return {
    integrationType: 'LICENSE_KEY' as const,
    fulfillmentMode,
    activationsLimit: configuration.activationsLimit ?? null,
    durationCount: configuration.duration?.count ?? null,
    durationUnit: configuration.duration?.unit ?? null,
    activationMessage: presentText(configuration.activationMessage),
    fulfillWithinHours: fulfillmentMode === 'MANUAL' ? withinHours : null,
    licenseKeyPoolId:
      configuration.licenseKeyPoolId == null ? null : uuidOf('LicenseKeyPool', configuration.licenseKeyPoolId),
  };
}

/** What the API shows of how an entitlement of license keys is given, and the pool to load for it. */
export interface LicenseKeyTerms extends Pick<
  Entitlement,
  'activationsLimit' | 'activationMessage' | 'fulfillWithinHours' | 'licenseKeyPoolId'
> {
  readonly __typename: 'LicenseKeyConfiguration';
  readonly fulfillmentMode: FulfillmentMode;
  readonly duration: Duration | null;
}

/** How an entitlement is given, as the API shows it. */
export function configurationOf(entitlement: Entitlement): LicenseKeyTerms {
  const { fulfillmentMode, durationCount: count, durationUnit: unit } = entitlement;
  if (fulfillmentMode === null) throw new Error('an entitlement of license keys has no fulfillment mode');
  return {
    __typename: 'LicenseKeyConfiguration',
    fulfillmentMode,
    activationsLimit: entitlement.activationsLimit,
    duration: count !== null && unit !== null ? { count, unit } : null,
    activationMessage: entitlement.activationMessage,
    fulfillWithinHours: entitlement.fulfillWithinHours,
    licenseKeyPoolId: entitlement.licenseKeyPoolId,
  };
}

/**
 * When a license key of an entitlement ends, in calendar time of UTC: a day is 24 hours, a month ends on the last day of a
 * shorter one, and so does a year that began on 29 February.
 * @param from the key's delivery
 * @returns null when the entitlement has no duration: the key works for ever
 */
export function licenseKeyExpiry(
  { durationCount: count, durationUnit: unit }: Pick<Entitlement, 'durationCount' | 'durationUnit'>,
  from: Date,
): Date | null {
  return count === null || unit === null ? null : laterBy(from, count, unit);
}

function laterBy(from: Date, count: number, unit: DurationUnit): Date {
  switch (unit) {
    case 'DAY':
      return new Date(from.getTime() + count * DAY);
    case 'WEEK':
      return new Date(from.getTime() + count * 7 * DAY);
    case 'MONTH':
      return monthsLater(from, count);
    case 'YEAR':
      return monthsLater(from, count * 12);
  }
}
