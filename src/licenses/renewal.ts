import type { License, ProductOffering } from '../generated/prisma/client.js';
import { globalId } from '../kernel/id.js';
import { refusal, type Refusal } from '../kernel/refusal.js';
import { periodsLater } from './billingPeriod.js';

const DAY = 86_400_000;

/** The refusal for a license that goes on in another one already. */
export function alreadyRenewed(renewalId: string, advice: string, path = ['input', 'licenseId']): Refusal {
  const message = `The license has a renewal already. ${advice}`;
  return refusal('LicenseAlreadyRenewed', path, message, {
    renewalId: globalId('License', renewalId),
  });
}

/** What decides how long a renewal lasts: the days of a subscription type, the rhythm of an offering, or an end that is given. */
export type RenewalTerm =
  { readonly until: Date } | { readonly days: number } | { readonly offering: Pick<ProductOffering, 'billingPeriod'> };

/**
 * From when to when a renewal counts: from the end of the license that it renews, or from now where that has passed; for one
 * billing period of an offering, and as long as the old license where the price is paid once.
 * @param validUntil the end of the license that is renewed
 */
export function renewalWindow(
  { validFrom, validUntil }: Pick<License, 'validFrom'> & { validUntil: Date },
  term: RenewalTerm,
  now: Date,
): { validFrom: Date; validUntil: Date } {
  const start = validUntil > now ? validUntil : now;
  return { validFrom: start, validUntil: endOf(start, term, validUntil.getTime() - validFrom.getTime()) };
}

function endOf(start: Date, term: RenewalTerm, length: number): Date {
  if ('until' in term) return term.until;
  if ('days' in term) return new Date(start.getTime() + term.days * DAY);
  const { billingPeriod } = term.offering;
  return billingPeriod === 'ONE_TIME' ? new Date(start.getTime() + length) : periodsLater(start, billingPeriod, 1);
}
