import type { ChangeType } from '../events/recordChange.js';
import type { LicenseStatus, RevocationReason } from '../generated/prisma/client.js';

/** Causes of a license that end, so that what they took back comes back. */
export type RestorableCause = Extract<RevocationReason, 'LICENSE_PAUSED' | 'LICENSE_BLOCKED' | 'LICENSE_EXPIRED'>;

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
