import type { Entitlement, Grant } from '../generated/prisma/client.js';

/** What is known of a grant that a license has or had. */
export type HeldGrant = Pick<Grant, 'entitlementId' | 'status' | 'revocationReason' | 'revocationCauses'>;

/** What a license's offering gives before and after a change: everything attached, archived entitlements too. */
export interface GivenEntitlements {
  readonly before: readonly Entitlement[];
  readonly after: readonly Entitlement[];
}

/** What a change of offering does to grants. */
export interface GrantChanges {
  /** Entitlements whose grant is taken back for good. */
  readonly revoked: ReadonlySet<string>;
  /** Entitlements that are granted anew, in the order of their attachment. */
  readonly issued: readonly Entitlement[];
}

/** Whether a grant was not taken back for good: it is there, or comes back when the causes that hold it end. */
export function isLiving({ status, revocationCauses }: HeldGrant): boolean {
  return status !== 'REVOKED' || revocationCauses.length > 0;
}

/**
 * What happens to a license's grants when what is given to it changes. Taken back is what only the old offering gave; a grant
 * that was issued by hand, of what neither gives, stays. Granted is what the new one gives and the license lacks; not what is
 * archived, nor what both give and somebody took back by hand.
 */
export function planGrantChanges(held: readonly HeldGrant[], { before, after }: GivenEntitlements): GrantChanges {
  const gave = new Set(before.map(({ id }) => id));
  const gives = new Set(after.map(({ id }) => id));
  const living = new Set(held.filter(isLiving).map(({ entitlementId }) => entitlementId));
  const takenByHand = new Set(
    held
      .filter(({ revocationReason }) => revocationReason === 'MANUAL' || revocationReason === 'REFUND')
      .map(({ entitlementId }) => entitlementId),
  );
  return {
    revoked: new Set([...living].filter((id) => gave.has(id) && !gives.has(id))),
    issued: after.filter(
      ({ id, archivedAt }) => archivedAt === null && !living.has(id) && !(gave.has(id) && takenByHand.has(id)),
    ),
  };
}
