import type { License, LicenseStatus } from '../generated/prisma/client.js';
import type { LicenseAssignment, LicenseValidity } from '../generated/graphql.js';
import { moneyOf, type Money } from '../kernel/money.js';
import { userError } from '../kernel/refusal.js';
import type { Metadata } from '../kernel/text.js';
import type { ConflictRefusals } from '../kernel/transaction.js';
import { after, dueChanges } from './transitions.js';

/**
 * A license as it is at an instant: what was scheduled for then or before has happened, whether or not the worker has written
 * it, and a pending license whose start has come is active since that start. `effectiveStatus` says the same in SQL.
 */
export function asOf(license: License, now: Date): License {
  return dueChanges(license, now).reduce((before, { to, at }) => after(before, to, at), license);
}

/** Where a license stands at an instant: its effective status. */
export function statusOf(license: License, now: Date): LicenseStatus {
  return asOf(license, now).status;
}

/**
 * The effective status as SQL over the table's alias `t`; the same rule as `statusOf`.
 * @param now the placeholder of the instant
 */
export function effectiveStatus(now: string): string {
  return `CASE WHEN t.pending_status_at <= ${now} THEN t.pending_status
    WHEN t.status = 'PENDING' AND t.valid_from <= ${now} THEN 'ACTIVE'::license_status ELSE t.status END`;
}

/** Where an instant lies in a license's window, which is half-open. */
export function validityOf({ validFrom, validUntil }: License, now: Date): LicenseValidity {
  if (now < validFrom) return 'NOT_STARTED';
  return validUntil !== null && validUntil <= now ? 'EXPIRED' : 'CURRENT';
}

/** Whether a license can be used at an instant. */
export function isActive(license: License, now: Date): boolean {
  return statusOf(license, now) === 'ACTIVE' && validityOf(license, now) === 'CURRENT';
}

/** The change of status that comes next by itself: the scheduled one, else a pending license's activation. */
export function pendingStatusOf(license: License, now: Date): { status: LicenseStatus; scheduledAt: Date } | null {
  const { status, pendingStatus, pendingStatusAt, validFrom } = asOf(license, now);
  if (pendingStatus !== null && pendingStatusAt !== null)
    return { status: pendingStatus, scheduledAt: pendingStatusAt };
  return status === 'PENDING' ? { status: 'ACTIVE', scheduledAt: validFrom } : null;
}

/** What a license is assigned to; null: nothing. */
export function assignmentOf(license: License): LicenseAssignment | null {
  const { assignedToType: type, assignedToId: id, assignedToDisplayName: displayName, assignedToDetails } = license;
  if (type === null || id === null) return null;
  return { type, id, displayName, details: assignedToDetails as Metadata | null };
}

/** What one license cost, undiscounted; null: nobody paid here. */
export function amountOf({ amountMinor, currency }: License): Money | null {
  return amountMinor !== null && currency !== null ? moneyOf(amountMinor, currency) : null;
}

const takenMessage =
  'Another license of this offering is assigned to this assignee at that time. Cancel that one, or assign another.';

/** What to answer when the assignee has a license of the offering at that time; `path` is the field that asks for the time. */
export function assigneeTakenAt(path: readonly string[]): ConflictRefusals {
  return { licenses_assignee_taken: () => userError('AssigneeTaken', path, takenMessage) };
}

/** The same for new licenses. */
export const assigneeTaken = assigneeTakenAt(['input', 'assignedTo']);
