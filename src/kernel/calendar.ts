/**
 * So many calendar months later, in UTC, at the same time of day: a day that the month does not have is its last one.
 * @param months may be negative or 0
 */
export function monthsLater(from: Date, months: number): Date {
  const later = new Date(from);
  later.setUTCMonth(from.getUTCMonth() + months);
  // A day that the month does not have runs over into the next one: day 0 of that is the last day of the month meant.
  if (later.getUTCDate() !== from.getUTCDate()) later.setUTCDate(0);
  return later;
}
