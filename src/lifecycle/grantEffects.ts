import type { License, RevocationReason } from '../generated/prisma/client.js';
import { afterDue, asOf, dueChanges, dueColumns, type DueChange } from './dueChanges.js';
import { allowedFrom, licenseEvents, type RestorableCause } from './transitions.js';

/** Columns of a license that decide about its grants. */
export const grantingColumns = [...dueColumns, 'renewalId'] as const satisfies readonly (keyof License)[];

/** What decides about a license's grants. */
export type GrantingLicense = Pick<License, (typeof grantingColumns)[number]>;

/** What something that happened to a license does to its grants, and from when. */
export type GrantEffect =
  | { readonly kind: 'REVOKE'; readonly cause: RestorableCause; readonly at: Date }
  | { readonly kind: 'RESTORE'; readonly cause: RestorableCause; readonly at: Date }
  | { readonly kind: 'REVOKE_FOR_GOOD'; readonly cause: RevocationReason; readonly at: Date };

/** What a license's due changes that are not written yet have done to its grants by an instant, in order. */
export function dueGrantEffects(license: GrantingLicense, now: Date): GrantEffect[] {
  let life = license;
  return dueChanges(license, now).flatMap((change) => {
    const before = life;
    life = afterDue(life, change);
    return effectsOf(before, change);
  });
}

function effectsOf(license: GrantingLicense, change: DueChange): GrantEffect[] {
  const { at } = change;
  if (change.kind === 'OFFERING') return [];
  if (change.kind === 'EXPIRY') return goesOn(license) ? [] : [{ kind: 'REVOKE', cause: 'LICENSE_EXPIRED', at }];
  const next = allowedFrom(license.status, license.statusBeforeBlock).find(({ to }) => to === change.to);
  if (!next) return [];
  if (next.event === 'cancel') return [{ kind: 'REVOKE_FOR_GOOD', cause: 'LICENSE_CANCELLED', at }];
  const { revokes, restores } = licenseEvents[next.event];
  if (revokes) return [{ kind: 'REVOKE', cause: revokes, at }];
  return restores ? [{ kind: 'RESTORE', cause: restores, at }] : [];
}

/** Whether a license's grants outlive its window: a renewal takes them on. */
export function goesOn({ renewalId }: Pick<License, 'renewalId'>): boolean {
  return renewalId !== null;
}

/** The causes for which a license that is not cancelled gives nothing at an instant, the likely oldest first. */
export function causesOf(license: GrantingLicense, now: Date): RestorableCause[] {
  const { status, statusBeforeBlock, validUntil } = asOf(license, now);
  const causes: RestorableCause[] = [];
  if (status === 'PAUSED' || statusBeforeBlock === 'PAUSED') causes.push('LICENSE_PAUSED');
  if (status === 'BLOCKED') causes.push('LICENSE_BLOCKED');
  if (validUntil !== null && validUntil <= now && !goesOn(license)) causes.push('LICENSE_EXPIRED');
  return causes;
}
