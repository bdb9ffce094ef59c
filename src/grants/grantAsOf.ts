import type { Grant } from '../generated/prisma/client.js';
import { dueGrantEffects, type GrantEffect, type GrantingLicense } from '../lifecycle/grantEffects.js';

/**
 * A grant as it is at an instant: what happened to its license by itself counts, whether or not it has been written.
 * `effectiveGrantStatus` says the same in SQL.
 * @param license the grant's; null: it has none
 */
export function grantAsOf(grant: Grant, license: GrantingLicense | null, now: Date): Grant {
  const effects = license ? dueGrantEffects(license, now) : [];
  return effects.reduce(afterEffect, grant);
}

/**
 * A grant after something that happened to its license; the very same one when that changes nothing. The steps of
 * `changeGrants` write the same for all grants of a license.
 */
export function afterEffect(grant: Grant, effect: GrantEffect): Grant {
  const isRevoked = grant.status === 'REVOKED';
  const { revocationCauses: causes } = grant;
  if (isRevoked && causes.length === 0) return grant;
  const released = { ...grant, claimedBy: null, claimedUntil: null };
  const revoked = {
    ...released,
    status: 'REVOKED' as const,
    statusBeforeRevocation: grant.statusBeforeRevocation ?? grant.status,
    revokedAt: grant.revokedAt ?? effect.at,
  };
  switch (effect.kind) {
    case 'REVOKE_FOR_GOOD':
      return { ...revoked, revocationReason: effect.cause, revocationCauses: [], errorCode: null, errorMessage: null };
    case 'REVOKE': {
      if (causes.includes(effect.cause)) return grant;
      const revocationReason = grant.revocationReason ?? effect.cause;
      return { ...revoked, revocationReason, revocationCauses: [...causes, effect.cause] };
    }
    case 'RESTORE':
      return causes.includes(effect.cause) ? restored(released, effect) : grant;
  }
}

function restored(grant: Grant, { cause, at }: GrantEffect): Grant {
  const rest = grant.revocationCauses.filter((one) => one !== cause);
  const next = { ...grant, revocationCauses: rest, revocationReason: (rest[0] ?? null) as Grant['revocationReason'] };
  if (rest.length > 0) return next;
  const status = grant.statusBeforeRevocation ?? grant.status;
  const deliveredAt = status === 'DELIVERED' ? (grant.deliveredAt ?? laterOf(at, grant.createdAt)) : grant.deliveredAt;
  return { ...next, status, statusBeforeRevocation: null, revokedAt: null, deliveredAt };
}

function laterOf(left: Date, right: Date): Date {
  return left > right ? left : right;
}
