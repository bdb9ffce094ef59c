import type { License, LicenseStatus } from '../generated/prisma/client.js';
import type { LicenseValidity } from '../generated/graphql.js';
import { moneyOf, type Money } from '../kernel/money.js';
import { userError } from '../kernel/refusal.js';
import type { ConflictRefusals } from '../kernel/transaction.js';
import { asOf, type DueLicense } from '../lifecycle/dueChanges.js';

/** Where an instant lies in a license's window, which is half-open. */
export function validityOf(license: DueLicense, now: Date): LicenseValidity {
  const { validFrom, validUntil } = asOf(license, now);
  if (now < validFrom) return 'NOT_STARTED';
  return validUntil !== null && validUntil <= now ? 'EXPIRED' : 'CURRENT';
}

/** Whether a license can be used at an instant. */
export function isActive(license: DueLicense, now: Date): boolean {
  return asOf(license, now).status === 'ACTIVE' && validityOf(license, now) === 'CURRENT';
}

/** The change of status that is scheduled; where none is, a pending license's activation. */
export function pendingStatusOf(license: DueLicense, now: Date): { status: LicenseStatus; scheduledAt: Date } | null {
  const { status, pendingStatus, pendingStatusAt, validFrom } = asOf(license, now);
  if (pendingStatus !== null && pendingStatusAt !== null)
    return { status: pendingStatus, scheduledAt: pendingStatusAt };
  return status === 'PENDING' ? { status: 'ACTIVE', scheduledAt: validFrom } : null;
}

/** What one license cost, undiscounted; null: nobody paid here. */
export function amountOf({ amountMinor, currency }: Pick<License, 'amountMinor' | 'currency'>): Money | null {
  return amountMinor !== null && currency !== null ? moneyOf(amountMinor, currency) : null;
}

/** What discounts took off that; null: nobody paid here. */
export function discountOf({
  discountMinor,
  amountMinor,
  currency,
}: Pick<License, 'discountMinor' | 'amountMinor' | 'currency'>): Money | null {
  return amountMinor !== null && currency !== null ? moneyOf(discountMinor ?? 0n, currency) : null;
}

const takenMessage =
  'Another license of this offering is assigned to this assignee at that time. Cancel that one, or assign another.';
const inUseMessage =
  'Another license uses a key of this one at that time. Cancel that one first, or choose another time.';

/** What to answer when the assignee has a license of the offering at that time; `path` is the field that asks for the time. */
export function assigneeTakenAt(path: readonly string[]): ConflictRefusals {
  return { licenses_assignee_taken: () => userError('AssigneeTaken', path, takenMessage) };
}

/** What to answer when the assignee of a new license, or a new assignee, has one of the offering at that time. */
export const assigneeTaken = assigneeTakenAt(['input', 'assignedTo']);

/** What to answer when a license would count at a time that another one has: that of its assignee, or on one of its keys. */
export const windowTaken: ConflictRefusals = {
  ...assigneeTakenAt(['input', 'licenseId']),
  license_key_bindings_one_current: () => userError('LicenseKeyInUse', ['input', 'licenseId'], inUseMessage),
};
