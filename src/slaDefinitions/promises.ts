import type { Weekday } from '../generated/graphql.js';
import type { SlaDefinitionVersion } from '../generated/prisma/client.js';
import { decimalOf } from './measure.js';
import { timeOfDay } from './supportTerms.js';

type Version = SlaDefinitionVersion;

const percentOf = (thousandths: number) => decimalOf(BigInt(thousandths) * 1_000n);

/** What a version promises of availability, as the API shows it; null: nothing. */
export function availabilityOf({ availabilityTarget }: Version): { targetPercent: string } | null {
  return availabilityTarget === null ? null : { targetPercent: percentOf(availabilityTarget) };
}

/** The same of response time. */
export function responseTimeOf({ responsePercentile, responseThresholdMs }: Version) {
  if (responsePercentile === null || responseThresholdMs === null) return null;
  return { percentile: percentOf(responsePercentile), thresholdMs: responseThresholdMs };
}

/** The same of support. */
export function supportHoursOf(version: Version) {
  const { supportResponseMinutes, supportTimeZone, supportDays, supportFrom, supportUntil } = version;
  if (supportResponseMinutes === null) return null;
  return {
    isAroundTheClock: supportTimeZone === null,
    timeZone: supportTimeZone,
    days: supportDays as Weekday[],
    from: supportFrom === null ? null : timeOfDay(supportFrom),
    until: supportUntil === null ? null : timeOfDay(supportUntil),
    firstResponseMinutes: supportResponseMinutes,
  };
}
