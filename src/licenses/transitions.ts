import type { License, LicenseStatus } from '../generated/prisma/client.js';
import type { ChangeType } from '../events/recordChange.js';
import type { RestorableCause } from '../grants/grantsOfLicense.js';

/** What can be done to a license; the mutations are named so: `pauseLicense`. */
export type LicenseEvent = 'activate' | 'pause' | 'resume' | 'block' | 'unblock' | 'cancel';

/** A row of the table of transitions; `to` is null where the license goes back to what it was before its block. */
export interface Transition {
  readonly from: LicenseStatus;
  readonly event: LicenseEvent;
  readonly to: LicenseStatus | null;
}

/** Every legal transition of a license; what is not here is refused. */
export const transitions: readonly Transition[] = [
  { from: 'PENDING', event: 'activate', to: 'ACTIVE' },
  { from: 'PENDING', event: 'cancel', to: 'CANCELLED' },
  { from: 'ACTIVE', event: 'pause', to: 'PAUSED' },
  { from: 'ACTIVE', event: 'block', to: 'BLOCKED' },
  { from: 'ACTIVE', event: 'cancel', to: 'CANCELLED' },
  { from: 'PAUSED', event: 'resume', to: 'ACTIVE' },
  { from: 'PAUSED', event: 'block', to: 'BLOCKED' },
  { from: 'PAUSED', event: 'cancel', to: 'CANCELLED' },
  { from: 'BLOCKED', event: 'unblock', to: null },
  { from: 'BLOCKED', event: 'cancel', to: 'CANCELLED' },
];

/** What an event asks for, is recorded as, and does to the license's grants. */
export const licenseEvents: Readonly<
  Record<
    LicenseEvent,
    {
      readonly asksFor: LicenseStatus;
      readonly change: ChangeType;
      readonly revokes?: RestorableCause;
      readonly restores?: RestorableCause;
    }
  >
> = {
  activate: { asksFor: 'ACTIVE', change: 'license.activated' },
  pause: { asksFor: 'PAUSED', change: 'license.paused', revokes: 'LICENSE_PAUSED' },
  resume: { asksFor: 'ACTIVE', change: 'license.resumed', restores: 'LICENSE_PAUSED' },
  block: { asksFor: 'BLOCKED', change: 'license.blocked', revokes: 'LICENSE_BLOCKED' },
  unblock: { asksFor: 'ACTIVE', change: 'license.unblocked', restores: 'LICENSE_BLOCKED' },
  cancel: { asksFor: 'CANCELLED', change: 'license.ended' },
};

/**
 * Where an event takes a license; null: it is not legal.
 * @param statusBeforeBlock what a blocked license was before; null for all others
 */
export function transition(
  status: LicenseStatus,
  event: LicenseEvent,
  statusBeforeBlock: LicenseStatus | null,
): LicenseStatus | null {
  const row = transitions.find((one) => one.from === status && one.event === event);
  return row ? (row.to ?? statusBeforeBlock) : null;
}

/** What may happen to a license next: each legal event with where it leads, in the table's order. */
export function allowedFrom(
  status: LicenseStatus,
  statusBeforeBlock: LicenseStatus | null,
): { event: LicenseEvent; to: LicenseStatus }[] {
  return transitions.flatMap(({ from, event }) => {
    const to = from === status ? transition(status, event, statusBeforeBlock) : null;
    return to ? [{ event, to }] : [];
  });
}

/** A change of status that comes by itself, and the instant from which it is true. */
export interface DueChange {
  readonly to: LicenseStatus;
  readonly at: Date;
}

/** The changes of a stored license that are true at an instant and not written yet: its start, and what was scheduled. */
export function dueChanges({ status, validFrom, pendingStatus, pendingStatusAt }: License, now: Date): DueChange[] {
  const isScheduled = pendingStatus !== null && pendingStatusAt !== null && pendingStatusAt <= now;
  const scheduled = isScheduled ? [{ to: pendingStatus, at: pendingStatusAt }] : [];
  const starts = status === 'PENDING' && validFrom <= now && !(isScheduled && pendingStatusAt <= validFrom);
  return starts ? [{ to: 'ACTIVE', at: validFrom }, ...scheduled] : scheduled;
}

/**
 * A license as it is after a legal change of status. A pending one that becomes active starts then; a block keeps since when it
 * was paused; a scheduled change that is carried out with this one, or that is not legal after it, is gone.
 * @param at from when the change is true
 */
export function after(license: License, to: LicenseStatus, at: Date): License {
  const { status, pausedAt, pendingStatus, pendingStatusAt } = license;
  const statusBeforeBlock = to === 'BLOCKED' ? status : null;
  const isActivation = status === 'PENDING' && to === 'ACTIVE';
  const isKept =
    pendingStatusAt !== null &&
    pendingStatusAt > at &&
    allowedFrom(to, statusBeforeBlock).some((next) => next.to === pendingStatus);
  const pausedSince = status === 'ACTIVE' ? at : pausedAt;
  return {
    ...license,
    status: to,
    statusBeforeBlock,
    validFrom: isActivation ? at : license.validFrom,
    activatedAt: isActivation ? at : license.activatedAt,
    pausedAt: to === 'PAUSED' ? pausedSince : to === 'BLOCKED' ? pausedAt : null,
    cancelledAt: to === 'CANCELLED' ? at : null,
    pendingStatus: isKept ? pendingStatus : null,
    pendingStatusAt: isKept ? pendingStatusAt : null,
  };
}
