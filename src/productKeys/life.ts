import type { ProductKey, ProductKeyStatus } from '../generated/prisma/client.js';

/** What decides how the life of a product key goes on by itself. */
export type ProductKeyLife = Pick<
  ProductKey,
  'status' | 'startsAt' | 'trialEndsAt' | 'trialNoticeAt' | 'trialNotifiedAt' | 'expiresAt' | 'cancelAt'
>;

/** Something that happens to a product key by itself, and the instant from which it is true. */
export interface DueEvent {
  readonly kind: 'CANCEL' | 'EXPIRE' | 'START' | 'TRIAL_NOTICE' | 'TRIAL_END';
  readonly at: Date;
}

/** Where a key that is neither disabled nor at its end stands at an instant. */
export function byClock(
  { startsAt, trialEndsAt }: Pick<ProductKeyLife, 'startsAt' | 'trialEndsAt'>,
  now: Date,
): 'SCHEDULED' | 'TRIALING' | 'ACTIVE' {
  if (startsAt > now) return 'SCHEDULED';
  return trialEndsAt !== null && trialEndsAt > now ? 'TRIALING' : 'ACTIVE';
}

/** Whether a key's status is one that never changes again. */
export function hasEnded(status: ProductKeyStatus): boolean {
  return status === 'CANCELLED' || status === 'EXPIRED';
}

/**
 * Where a product key stands at an instant, whether or not the worker has written it. At one instant, a cancellation comes before
 * an expiry. `effectiveStatus` says the same in SQL.
 */
export function statusOf(key: ProductKeyLife, now: Date): ProductKeyStatus {
  const { status, cancelAt, expiresAt } = key;
  if (hasEnded(status)) return status;
  const isCancelled = cancelAt !== null && cancelAt <= now;
  const isExpired = expiresAt !== null && expiresAt <= now;
  if (isCancelled && !(isExpired && expiresAt < cancelAt)) return 'CANCELLED';
  if (isExpired) return 'EXPIRED';
  // What was written as begun has begun, even for a reader whose clock is a moment behind the writer's.
  if (status === 'DISABLED' || status === 'ACTIVE') return status;
  const clock = byClock(key, now);
  return status === 'TRIALING' && clock === 'SCHEDULED' ? status : clock;
}

/** The first thing that has come true of a stored key by itself and is not written yet; null: nothing has. */
export function nextDue(key: ProductKeyLife, now: Date): DueEvent | null {
  const due = candidates(key, now).filter(({ at }) => at <= now);
  // A stable sort: at one instant the order is the candidates'.
  return due.sort((left, right) => left.at.getTime() - right.at.getTime())[0] ?? null;
}

/** The end of a trial that is over is not announced any more. */
function candidates(key: ProductKeyLife, now: Date): DueEvent[] {
  const { status, startsAt, trialEndsAt, trialNoticeAt, trialNotifiedAt, expiresAt, cancelAt } = key;
  if (hasEnded(status)) return [];
  const isInTrial = status === 'TRIALING' && trialEndsAt !== null && trialEndsAt > now;
  const isAnnounced = isInTrial && trialNoticeAt !== null && trialNotifiedAt === null;
  const events: (false | DueEvent)[] = [
    cancelAt !== null && { kind: 'CANCEL', at: cancelAt },
    expiresAt !== null && { kind: 'EXPIRE', at: expiresAt },
    status === 'SCHEDULED' && { kind: 'START', at: startsAt },
    isAnnounced && { kind: 'TRIAL_NOTICE', at: trialNoticeAt },
    status === 'TRIALING' && trialEndsAt !== null && { kind: 'TRIAL_END', at: trialEndsAt },
  ];
  return events.filter((event) => event !== false);
}

/** What a person can do to where a key stands; the mutations are named so: `disableProductKey`. */
export type ProductKeyEvent = 'disable' | 'enable' | 'cancel';

/**
 * Where an event takes a key that stands somewhere; null: it is not legal. Enabling gives what the clock gives.
 * @param clock what `byClock` says
 */
export function transition(
  status: ProductKeyStatus,
  event: ProductKeyEvent,
  clock: ProductKeyStatus,
): ProductKeyStatus | null {
  if (hasEnded(status)) return null;
  if (event === 'cancel') return 'CANCELLED';
  if (event === 'enable') return status === 'DISABLED' ? clock : null;
  return status === 'DISABLED' ? null : 'DISABLED';
}

/** What may happen to a key next: each legal event with where it leads. */
export function allowedFrom(
  status: ProductKeyStatus,
  clock: ProductKeyStatus,
): { event: ProductKeyEvent; to: ProductKeyStatus }[] {
  return (['disable', 'enable', 'cancel'] as const).flatMap((event) => {
    const to = transition(status, event, clock);
    return to ? [{ event, to }] : [];
  });
}

const DAY = 86_400_000;
const NOTICE = 3 * DAY;

/** When a trial of so many days from a start ends; null: there is none. */
export function trialEndOf(startsAt: Date, trialDays: number): Date | null {
  return trialDays === 0 ? null : new Date(startsAt.getTime() + trialDays * DAY);
}

/** When the end of a trial is announced: three days before, half-way through a shorter one; null: there is no trial. */
export function noticeOf({ startsAt, trialEndsAt }: Pick<ProductKeyLife, 'startsAt' | 'trialEndsAt'>): Date | null {
  if (trialEndsAt === null) return null;
  const length = trialEndsAt.getTime() - startsAt.getTime();
  return new Date(trialEndsAt.getTime() - Math.min(NOTICE, length / 2));
}
