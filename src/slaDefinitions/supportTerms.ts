import type { SlaSupportHoursInput, Weekday } from '../generated/graphql.js';
import { userError, type UserErrorData } from '../kernel/refusal.js';
import { checkRange, presentText } from '../kernel/text.js';
import { MAX_COUNT, type Terms } from './terms.js';

const path = ['input', 'supportHours'];

/** The days of a week, in their order. */
const weekdays: readonly Weekday[] = ['MONDAY', 'TUESDAY', 'WEDNESDAY', 'THURSDAY', 'FRIDAY', 'SATURDAY', 'SUNDAY'];

type SupportTerms = Pick<
  Terms,
  'supportResponseMinutes' | 'supportTimeZone' | 'supportDays' | 'supportFrom' | 'supportUntil'
>;

const aroundTheClock = { supportTimeZone: null, supportDays: [], supportFrom: null, supportUntil: null };

/** What is promised of support: null takes the promise away. Adds what is wrong with it. */
export function supportTerms(problems: UserErrorData[], given: SlaSupportHoursInput | null | undefined): SupportTerms {
  if (!given) return { supportResponseMinutes: null, ...aroundTheClock };
  const { firstResponseMinutes, days } = given;
  checkRange(problems, [...path, 'firstResponseMinutes'], firstResponseMinutes, 1, MAX_COUNT);
  const [timeZone, from, until] = [presentText(given.timeZone), presentText(given.from), presentText(given.until)];
  const isGiven = {
    timeZone: timeZone !== null,
    days: (days ?? []).length > 0,
    from: from !== null,
    until: until !== null,
  };
  const absent = Object.entries(isGiven).filter(([, is]) => !is);
  if (absent.length === 4) return { supportResponseMinutes: firstResponseMinutes, ...aroundTheClock };
  for (const [field] of absent) {
    const message = 'Give time zone, days and hours, or none of them: around the clock.';
    problems.push(userError('InvalidInput', [...path, field], message));
  }
  checkDays(problems, days ?? []);
  return {
    supportResponseMinutes: firstResponseMinutes,
    supportTimeZone: timeZone && zoneOf(problems, timeZone),
    supportDays: weekdays.filter((day) => days?.includes(day)),
    ...hoursOf(problems, from, until),
  };
}

/**
 * A zone as the IANA's list spells it, which not every client reads in another case. Names of the list only: not offsets such as
 * `+01:00`, which know no summer time. Adds a problem where there is none of this name.
 */
function zoneOf(problems: UserErrorData[], given: string): string {
  try {
    if (/^[A-Za-z]/.test(given)) {
      const { timeZone } = new Intl.DateTimeFormat('en', { timeZone: given }).resolvedOptions();
      // Another name is the older or newer one of the same zone: the given one stays.
      return timeZone.toLowerCase() === given.toLowerCase() ? timeZone : given;
    }
  } catch {
    // Falls through to the refusal: there is no such zone.
  }
  const message = 'Give a time zone of the IANA list, such as `Europe/Berlin` or `UTC`.';
  problems.push(userError('InvalidInput', [...path, 'timeZone'], message));
  return given;
}

function checkDays(problems: UserErrorData[], days: readonly Weekday[]): void {
  days.forEach((day, index) => {
    if (days.indexOf(day) === index) return;
    problems.push(userError('InvalidInput', [...path, 'days', index], `${day} is given twice. Give each day once.`));
  });
}

function hoursOf(
  problems: UserErrorData[],
  from: string | null,
  until: string | null,
): Pick<Terms, 'supportFrom' | 'supportUntil'> {
  const [supportFrom, supportUntil] = [minutesOf(from), minutesOf(until)];
  if (from !== null && (supportFrom === null || supportFrom === DAY)) {
    const message = 'Give a time of day from `00:00` to `23:59`, such as `09:00`.';
    problems.push(userError('InvalidInput', [...path, 'from'], message));
  }
  if (until !== null && (supportUntil === null || supportUntil <= (supportFrom ?? 0))) {
    const message = 'Give a time of day after `from`, to `24:00`, such as `17:30`.';
    problems.push(userError('InvalidInput', [...path, 'until'], message));
  }
  return { supportFrom, supportUntil };
}

const DAY = 1_440;

/** A time of day in minutes; null: it is none. */
function minutesOf(time: string | null): number | null {
  const [, hours, minutes] = /^(\d\d):(\d\d)$/.exec(time ?? '') ?? [];
  const total = Number(hours) * 60 + Number(minutes);
  return hours !== undefined && Number(minutes) < 60 && total <= DAY ? total : null;
}

/** Minutes of a day as a time of day. */
export function timeOfDay(minutes: number): string {
  const two = (count: number) => String(count).padStart(2, '0');
  return `${two(Math.floor(minutes / 60))}:${two(minutes % 60)}`;
}
