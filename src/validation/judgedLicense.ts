import { validityOf } from '../licenses/license.js';
import { asOf } from '../lifecycle/dueChanges.js';
import type { JudgedLicense, LicenseFacts } from './facts.js';

/**
 * The license that a key is judged by at an instant, as it is then: the one in force, else the one whose window it is, else the
 * next to start, else the one that ended last. Null: the key never had one.
 */
export function judgedLicense(licenses: readonly LicenseFacts[], at: Date): LicenseFacts | null {
  const then = licenses.map(({ license, products }) => ({ license: asOf(license, at), products }));
  const ranked = then.toSorted((left, right) => {
    const [a, b] = [tellingOf(left.license, at), tellingOf(right.license, at)];
    return a.rank - b.rank || a.distance - b.distance;
  });
  return ranked[0] ?? null;
}

/** How telling a license is, the smaller the more: its kind, then how far its window is from the instant. */
function tellingOf(license: JudgedLicense, at: Date): { rank: number; distance: number } {
  const { status, validFrom } = license;
  const validity = validityOf(license, at);
  if (status === 'CANCELLED' || validity === 'EXPIRED') return { rank: 3, distance: at.getTime() - endOf(license) };
  if (validity === 'NOT_STARTED') return { rank: 2, distance: validFrom.getTime() - at.getTime() };
  return { rank: status === 'ACTIVE' ? 0 : 1, distance: at.getTime() - validFrom.getTime() };
}

/**
 * When a license ends as things stand, in milliseconds: its window's end, its cancellation or a scheduled one, whichever comes
 * first; infinite for permanent ones.
 */
function endOf({ validUntil, cancelledAt, pendingStatus, pendingStatusAt }: JudgedLicense): number {
  const scheduled = pendingStatus === 'CANCELLED' ? pendingStatusAt : null;
  return Math.min(...[validUntil, cancelledAt, scheduled].map((end) => end?.getTime() ?? Infinity));
}

/** Whether a key has ended with its licenses by what is not written yet: `keysEnded` says the same in SQL. */
export function isEnded(licenses: readonly LicenseFacts[], at: Date): boolean {
  return (
    licenses.every(({ license }) => asOf(license, at).status === 'CANCELLED') &&
    licenses.some(({ license }) => license.status !== 'CANCELLED')
  );
}

/**
 * Until when a license and those that follow it on the key without a gap last; null: for ever.
 * @param license as it is at the instant
 */
export function lastsUntil(license: JudgedLicense, all: readonly LicenseFacts[], at: Date): Date | null {
  const others = all.map((one) => asOf(one.license, at)).filter(({ status }) => status !== 'CANCELLED');
  let end = endOf(license);
  for (;;) {
    const next = Math.max(...others.filter(({ validFrom }) => validFrom.getTime() <= end).map(endOf), end);
    if (next === end) return Number.isFinite(end) ? new Date(end) : null;
    end = next;
  }
}
