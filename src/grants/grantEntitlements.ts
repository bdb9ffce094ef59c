import { licenseKeyExpiry } from '../entitlements/entitlement.js';
import { recordChange } from '../events/recordChange.js';
import type { Entitlement, GrantStatus, LicenseKeySource } from '../generated/prisma/client.js';
import { newId } from '../kernel/id.js';
import { tenantOf } from '../kernel/requestContext.js';
import type { Metadata } from '../kernel/text.js';
import type { SqlTx } from '../kernel/transaction.js';
import type { RestorableCause } from '../lifecycle/transitions.js';
import { addLicenseKey, type DrawnKey } from '../licenseKeys/addLicenseKey.js';
import type { PoolDraws } from '../licenseKeys/drawPoolKeys.js';
import { generateKey } from '../catalog/keyPattern.js';
import { queueDelivery } from '../mail/queueDelivery.js';

/** To whom entitlements are given, and why. */
export interface GrantOccasion {
  readonly customer: { id: string; email: string | null };
  readonly licenseId: string | null;
  readonly orderId: string | null;
  /** The vendor's own ids; null: the order and the license say it. */
  readonly paymentId: string | null;
  readonly subscriptionId: string | null;
  readonly metadata: Metadata;
  /** A key that the buyer or vendor gave: fulfils the first license-key grant, whatever its mode. */
  readonly suppliedKey: string | null;
  /** Why the license gives nothing now, the oldest first; absent or empty: it does. */
  readonly heldBy?: readonly RestorableCause[];
  /** Makes keys of the product's pattern (`keyMakerFor`); absent: of the default one. */
  readonly makeKey?: () => string;
  /** Keys that were drawn for entitlements of pools (`drawPoolKeys`): each is taken from its list. */
  readonly poolKeys?: PoolDraws;
}

const HOUR = 3_600_000;

/**
 * A step: gives a customer entitlements, one grant each, with their keys and mails; buffered, so no round trip of its own. A
 * license-key grant is born DELIVERED when its key is there at once (supplied, or generated or drawn in AUTO mode), else PENDING with a
 * due time. What is delivered is mailed. While the license gives nothing, a grant is born REVOKED with why; what would have been
 * delivered, with its mail, is so when the cause ends. Records `entitlement_grant.created`, and after it
 * `entitlement_grant.delivered` or `entitlement_grant.revoked`.
 * @returns the grants' ids, in the order of the entitlements
 */
export function grantEntitlements(
  tx: SqlTx,
  entitlements: readonly Entitlement[],
  occasion: GrantOccasion,
): { id: string }[] {
  let { suppliedKey } = occasion;
  return entitlements.map((entitlement) => {
    const key = keyFor(entitlement, suppliedKey, occasion);
    if (key?.source === 'SUPPLIED') suppliedKey = null;
    return addGrant(tx, entitlement, occasion, key);
  });
}

interface ImmediateKey {
  readonly key: string | DrawnKey;
  readonly source: LicenseKeySource;
}

/** The key that a grant is born with; null when it waits for one, or is of another kind. */
function keyFor(
  entitlement: Entitlement,
  suppliedKey: string | null,
  { makeKey = generateKey, poolKeys }: GrantOccasion,
): ImmediateKey | null {
  if (entitlement.integrationType !== 'LICENSE_KEY') return null;
  if (suppliedKey !== null) return { key: suppliedKey, source: 'SUPPLIED' };
  if (entitlement.fulfillmentMode !== 'AUTO') return null;
  const { licenseKeyPoolId } = entitlement;
  if (licenseKeyPoolId === null) return { key: makeKey(), source: 'AUTO' };
  const key = poolKeys?.get(licenseKeyPoolId)?.shift();
  if (!key) throw new Error('the keys of a pool must be drawn before they are given');
  return { key, source: 'POOL' };
}

function addGrant(
  tx: SqlTx,
  entitlement: Entitlement,
  { customer, suppliedKey: _, makeKey: __, poolKeys: ___, heldBy = [], ...cause }: GrantOccasion,
  key: ImmediateKey | null,
): { id: string } {
  const { now } = tx.ctx;
  const id = newId();
  const isHeld = heldBy.length > 0;
  const licenseKeyId = key ? addKey(tx, entitlement, customer.id, cause.licenseId, key) : null;
  const row = {
    ...tenantOf(tx.ctx),
    id,
    customerId: customer.id,
    entitlementId: entitlement.id,
    integrationType: entitlement.integrationType,
    status: key ? ('DELIVERED' as const) : ('PENDING' as const),
    fulfillmentMode: entitlement.fulfillmentMode,
    ...cause,
    licenseKeyId,
    dueAt: dueAt(entitlement, now),
    deliveredAt: key && !isHeld ? now : null,
    version: key || isHeld ? 2 : 1,
    createdAt: now,
    updatedAt: now,
    ...(isHeld ? revokedBy(heldBy, now, key ? 'DELIVERED' : 'PENDING') : {}),
  };
  tx.insert('grants', row);
  const about = { objectType: 'Grant', objectId: id } as const;
  recordChange(tx, { type: 'entitlement_grant.created', ...about, sequence: 1, snapshot: { ...row, version: 1 } });
  if (key || isHeld) {
    const type = isHeld ? 'entitlement_grant.revoked' : 'entitlement_grant.delivered';
    recordChange(tx, { type, ...about, sequence: 2, snapshot: row });
  }
  if (key) {
    const mail = { customerId: customer.id, recipient: customer.email, grantId: id, template: 'license-key' } as const;
    queueDelivery(tx, { ...mail, isWithdrawn: isHeld });
  }
  return { id };
}

/** What the row of a grant has that is born taken back for a while. */
function revokedBy(causes: readonly RestorableCause[], now: Date, status: GrantStatus) {
  return {
    status: 'REVOKED' as const,
    statusBeforeRevocation: status,
    revokedAt: now,
    revocationReason: causes[0] as RestorableCause,
    revocationCauses: [...causes],
  };
}

function addKey(
  tx: SqlTx,
  entitlement: Entitlement,
  customerId: string,
  licenseId: string | null,
  { key, source }: ImmediateKey,
): string {
  const { activationsLimit } = entitlement;
  const expiresAt = licenseKeyExpiry(entitlement, tx.ctx.now);
  return addLicenseKey(tx, { customerId, licenseId, key, source, activationsLimit, expiresAt }).id;
}

/** By when a person should have supplied the key; null for what nobody supplies by hand. */
function dueAt({ fulfillmentMode, fulfillWithinHours }: Entitlement, now: Date): Date | null {
  if (fulfillmentMode !== 'MANUAL' || fulfillWithinHours === null) return null;
  return new Date(now.getTime() + fulfillWithinHours * HOUR);
}
