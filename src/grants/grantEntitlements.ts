import { licenseKeyExpiry } from '../entitlements/entitlement.js';
import { recordChange } from '../events/recordChange.js';
import type { Entitlement, LicenseKeySource } from '../generated/prisma/client.js';
import { newId } from '../kernel/id.js';
import { tenantOf } from '../kernel/requestContext.js';
import type { Metadata } from '../kernel/text.js';
import type { SqlTx } from '../kernel/transaction.js';
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
  /** Makes keys of the product's pattern (`keyMakerFor`); absent: of the default one. */
  readonly makeKey?: () => string;
  /** Keys that were drawn for entitlements of pools (`drawPoolKeys`): each is taken from its list. */
  readonly poolKeys?: PoolDraws;
}

const HOUR = 3_600_000;

/**
 * A step: gives a customer entitlements, one grant each, with their keys and mails; buffered, so no round trip of its own. A
 * license-key grant is born DELIVERED when its key is there at once (supplied, or generated or drawn in AUTO mode), else PENDING with a
 * due time. What is delivered is mailed. Records `entitlement_grant.created`, and `entitlement_grant.delivered` after it.
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
  { customer, suppliedKey: _, makeKey: __, poolKeys: ___, ...cause }: GrantOccasion,
  key: ImmediateKey | null,
): { id: string } {
  const { now } = tx.ctx;
  const id = newId();
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
    deliveredAt: key ? now : null,
    version: key ? 2 : 1,
    createdAt: now,
    updatedAt: now,
  };
  tx.insert('grants', row);
  const about = { objectType: 'Grant', objectId: id } as const;
  recordChange(tx, { type: 'entitlement_grant.created', ...about, sequence: 1, snapshot: { ...row, version: 1 } });
  if (key) {
    recordChange(tx, { type: 'entitlement_grant.delivered', ...about, sequence: 2, snapshot: row });
    queueDelivery(tx, { customerId: customer.id, recipient: customer.email, grantId: id, template: 'license-key' });
  }
  return { id };
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
