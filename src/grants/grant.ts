import type { Grant, Order } from '../generated/prisma/client.js';
import { globalId } from '../kernel/id.js';
import { userError, type UserErrorData } from '../kernel/refusal.js';
import type { RequestContext } from '../kernel/requestContext.js';

const CLAIM_MINUTES = 15;
const path = ['input', 'grantId'];

/** Until when a claim holds that is made now. */
export function claimEnd(now: Date): Date {
  return new Date(now.getTime() + CLAIM_MINUTES * 60_000);
}

/** The claim that an agent holds on a grant at an instant; null when there is none, or its time is over. */
export function liveClaim(
  { claimedBy, claimedUntil }: Pick<Grant, 'claimedBy' | 'claimedUntil'>,
  now: Date,
): { claimedBy: string; claimedUntil: Date } | null {
  return claimedBy !== null && claimedUntil !== null && claimedUntil > now ? { claimedBy, claimedUntil } : null;
}

/**
 * Why a caller may not supply a grant's license key; null when it may. Asked in this order: the kind of grant, who supplies its
 * key, where it stands, whether it has a key, whether another agent works on it. A caller without `X-Actor` is another one.
 * @returns NotALicenseKeyGrant, NotManualFulfillment, GrantNotPending, GrantHasKey or GrantClaimed
 */
export function whyNotFulfillable(
  grant: Grant,
  { now, actor }: Pick<RequestContext, 'now' | 'actor'>,
): UserErrorData | null {
  if (grant.integrationType !== 'LICENSE_KEY') {
    return userError('NotALicenseKeyGrant', path, 'The grant is not for a license key.');
  }
  if (grant.fulfillmentMode !== 'MANUAL') {
    return userError('NotManualFulfillment', path, "The grant's key is generated; nobody supplies it by hand.");
  }
  const { status } = grant;
  if (status !== 'PENDING') {
    return userError('GrantNotPending', path, `The grant is ${status}; it does not wait for a key.`, { status });
  }
  if (grant.licenseKeyId !== null) return userError('GrantHasKey', path, 'The grant has a key already.');
  const claim = liveClaim(grant, now);
  if (!claim || claim.claimedBy === actor) return null;
  const message = `${claim.claimedBy} works on the grant until ${claim.claimedUntil.toISOString()}.`;
  return userError('GrantClaimed', path, message, claim);
}

/** The payment behind a grant: what was said when it was issued, else its order's external reference, else what paid the order. */
export function paymentIdOf({ paymentId }: Grant, order: Order | null): string | null {
  if (paymentId !== null) return paymentId;
  const paid = order?.ledgerTransactionId;
  return order?.paymentReference ?? (paid ? globalId('LedgerTransaction', paid) : null);
}

/** The subscription behind a grant: what was said when it was issued, else the license that caused it. */
export function subscriptionIdOf({ subscriptionId, licenseId }: Grant): string | null {
  return subscriptionId ?? (licenseId ? globalId('License', licenseId) : null);
}

/** Whole seconds between a grant's issue and an instant; none before its issue. */
export function ageInSeconds({ createdAt }: Grant, now: Date): number {
  return Math.max(0, Math.floor((now.getTime() - createdAt.getTime()) / 1000));
}
