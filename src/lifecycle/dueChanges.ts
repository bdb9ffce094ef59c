import type { License, LicenseStatus } from '../generated/prisma/client.js';
import { allowedFrom } from './transitions.js';

/** Columns that decide what happens to a license by itself, and when. */
export const dueColumns = [
  'status',
  'statusBeforeBlock',
  'validFrom',
  'validUntil',
  'pendingStatus',
  'pendingStatusAt',
  'pendingOfferingId',
  'pendingOfferingAt',
  'expiredAt',
] as const satisfies readonly (keyof License)[];

/** What decides how the life of a license goes on by itself. */
export type DueLicense = Pick<License, (typeof dueColumns)[number]>;

/** The same with all else that changes with it. */
export type LicenseLife = DueLicense &
  Pick<License, 'activatedAt' | 'pausedAt' | 'cancelledAt' | 'productOfferingId' | 'offeringSince'>;

/** What decides, and of the rest whatever is known; what is not known is not known afterwards either. */
type AnyLife = DueLicense & Partial<LicenseLife>;

/** Something that happens to a license by itself, and the instant from which it is true. */
export type DueChange =
  | { readonly kind: 'STATUS'; readonly to: LicenseStatus; readonly at: Date }
  | { readonly kind: 'OFFERING'; readonly productOfferingId: string; readonly at: Date }
  | { readonly kind: 'EXPIRY'; readonly at: Date };

/**
 * The changes of a stored license that are true at an instant and not written yet, in the order in which they come true: by
 * their instants; at one instant a cancellation first, then the start, another scheduled status, the offering, the expiry. What
 * an earlier one makes void is left out: nothing follows a cancellation.
 */
export function dueChanges(license: AnyLife, now: Date): DueChange[] {
  const changes: DueChange[] = [];
  let next = nextDueChange(license, now);
  for (let life = license; next; next = nextDueChange(life, now)) {
    changes.push(next);
    life = afterDue(life, next);
  }
  return changes;
}

/** The first of `dueChanges`; null: nothing is due. */
export function nextDueChange(license: DueLicense, now: Date): DueChange | null {
  if (isSettled(license, now)) return null;
  const due = candidates(license).filter(({ at }) => at <= now);
  // A stable sort: at one instant the order is the candidates'.
  return due.sort((left, right) => left.at.getTime() - right.at.getTime())[0] ?? null;
}

/** Whether nothing that could happen to a license by itself has come; asked for every field that depends on the moment. */
function isSettled(license: DueLicense, now: Date): boolean {
  const { status, validFrom, validUntil, pendingStatusAt, pendingOfferingAt, expiredAt } = license;
  const hasCome = (at: Date | null) => at !== null && at <= now;
  if (hasCome(pendingStatusAt) || hasCome(pendingOfferingAt)) return false;
  return !(status === 'PENDING' && hasCome(validFrom)) && (expiredAt !== null || !hasCome(validUntil));
}

/** What will happen to a license by itself, whenever; in the order that counts at one instant. */
function candidates(license: DueLicense): DueChange[] {
  const { status, validFrom, validUntil, pendingStatus, pendingStatusAt, pendingOfferingId, pendingOfferingAt } =
    license;
  const scheduled: DueChange[] =
    pendingStatus !== null && pendingStatusAt !== null
      ? [{ kind: 'STATUS', to: pendingStatus, at: pendingStatusAt }]
      : [];
  const start: DueChange[] = status === 'PENDING' ? [{ kind: 'STATUS', to: 'ACTIVE', at: validFrom }] : [];
  const offering: DueChange[] =
    pendingOfferingId !== null && pendingOfferingAt !== null
      ? [{ kind: 'OFFERING', productOfferingId: pendingOfferingId, at: pendingOfferingAt }]
      : [];
  const expires = validUntil !== null && license.expiredAt === null && status !== 'CANCELLED';
  const expiry: DueChange[] = expires ? [{ kind: 'EXPIRY', at: validUntil }] : [];
  const statuses = pendingStatus === 'CANCELLED' ? [...scheduled, ...start] : [...start, ...scheduled];
  return [...statuses, ...offering, ...expiry];
}

/**
 * A license as it is after something happened to it by itself. Only what the license's own row says: the type that comes with
 * another offering stands in that offering.
 */
export function afterDue<Life extends AnyLife>(license: Life, change: DueChange): Life {
  switch (change.kind) {
    case 'STATUS':
      return after(license, change.to, change.at);
    case 'OFFERING':
      return {
        ...license,
        productOfferingId: change.productOfferingId,
        // What changes before the start binds from the start.
        offeringSince: change.at > license.validFrom ? change.at : null,
        pendingOfferingId: null,
        pendingOfferingAt: null,
      };
    case 'EXPIRY':
      return { ...license, expiredAt: change.at };
  }
}

/**
 * A license as it is after a change of status. A pending one that becomes active starts then; a block keeps since when it was
 * paused; a scheduled change that is carried out with this one, or that is not legal after it, is gone; a cancelled license
 * changes to no other offering any more. A scheduled status that turns out not to be legal is gone, and nothing else happens.
 * @param at from when the change is true
 */
export function after<Life extends AnyLife>(license: Life, to: LicenseStatus, at: Date): Life {
  const { status, pausedAt, pendingStatus, pendingStatusAt } = license;
  const isCarriedOut = pendingStatus === to && pendingStatusAt?.getTime() === at.getTime();
  const isLegal = allowedFrom(status, license.statusBeforeBlock).some((next) => next.to === to);
  if (isCarriedOut && !isLegal) return { ...license, pendingStatus: null, pendingStatusAt: null };
  const statusBeforeBlock = to === 'BLOCKED' ? status : null;
  const isActivation = status === 'PENDING' && to === 'ACTIVE';
  const isKept = !isCarriedOut && allowedFrom(to, statusBeforeBlock).some((next) => next.to === pendingStatus);
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
    ...(to === 'CANCELLED' ? { pendingOfferingId: null, pendingOfferingAt: null } : {}),
  };
}

/**
 * A license as it is at an instant: what was scheduled for then or before has happened, whether or not the worker has written
 * it, and a pending license whose start has come is active since that start. `effectiveStatus` says the same in SQL.
 */
export function asOf<Life extends AnyLife>(license: Life, now: Date): Life {
  let life = license;
  for (let next = nextDueChange(life, now); next; next = nextDueChange(life, now)) life = afterDue(life, next);
  return life;
}

/** Where a license stands at an instant: its effective status. */
export function statusOf(license: DueLicense, now: Date): LicenseStatus {
  return asOf(license, now).status;
}

/** The offering that a license has gone over to by an instant, where that is not written yet; null: none. */
export function offeringDue(license: DueLicense & Pick<License, 'productOfferingId'>, now: Date): string | null {
  const { productOfferingId } = asOf(license, now);
  return productOfferingId === license.productOfferingId ? null : productOfferingId;
}
