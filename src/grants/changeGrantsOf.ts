import type { Customer, Entitlement, Grant, License } from '../generated/prisma/client.js';
import type { SqlTx } from '../kernel/transaction.js';
import type { RestorableCause } from '../lifecycle/transitions.js';
import { drawWhatIsLeft, neededFromPools, type PoolDraws } from '../licenseKeys/drawPoolKeys.js';
import { keyMakerFor } from '../licenseKeys/keyMaker.js';
import { retireLicenseKey } from '../licenseKeys/retireLicenseKey.js';
import { revokeGrantsForGood } from './changeGrants.js';
import { grantEntitlements } from './grantEntitlements.js';
import { lockGrantsOf } from './grantsOfLicense.js';
import { planGrantChanges, type GivenEntitlements } from './planGrantChanges.js';

/** Whose grants change, and why. */
interface Occasion {
  readonly license: Pick<License, 'id' | 'orderId'>;
  /** The offering that it goes over to: its product decides how keys are made. */
  readonly productOfferingId: string;
  readonly customer: Pick<Customer, 'id' | 'email'>;
  readonly reason: string | null;
  /** Why the license gives nothing now: what is new waits as the rest does. */
  readonly heldBy: readonly RestorableCause[];
}

/**
 * A step: gives a license what another offering gives, and takes back for good what only the present one gave: PLAN_CHANGED, with
 * the keys that those grants delivered, unless another license that is not cancelled uses them. What both give stays as it is.
 * What is new is buffered, as `grantEntitlements` says, with keys of the new offering's product or pool.
 */
export async function changeGrantsOf(
  tx: SqlTx,
  { license, productOfferingId, customer, reason, heldBy }: Occasion,
  given: GivenEntitlements,
): Promise<void> {
  const held = await lockGrantsOf(tx, license.id);
  const { revoked, issued } = planGrantChanges(held, given);
  await revoke(tx, held, license.id, revoked, reason);
  if (issued.length === 0) return;
  const poolKeys = await drawWhatIsLeft(tx, neededFromPools(issued, 1, false));
  const { make } = await keyMakerFor(tx, { productOfferingId });
  grantEntitlements(tx, withEmptyPoolsByHand(issued, poolKeys), {
    customer,
    licenseId: license.id,
    orderId: license.orderId,
    paymentId: null,
    subscriptionId: null,
    metadata: {},
    suppliedKey: null,
    heldBy,
    makeKey: make,
    poolKeys,
  });
}

/**
 * Entitlements that can be given now: one whose pool has no key left is given by hand, from the desk's queue, instead. A change
 * that has come true by itself cannot be refused, and a license must not be stuck because of a pool.
 */
function withEmptyPoolsByHand(issued: readonly Entitlement[], poolKeys: PoolDraws): Entitlement[] {
  const left = new Map([...poolKeys].map(([poolId, keys]) => [poolId, keys.length]));
  return issued.map((entitlement) => {
    const { licenseKeyPoolId: poolId } = entitlement;
    if (poolId === null || entitlement.fulfillmentMode !== 'AUTO') return entitlement;
    const keys = left.get(poolId) ?? 0;
    left.set(poolId, keys - 1);
    return keys > 0 ? entitlement : { ...entitlement, fulfillmentMode: 'MANUAL' };
  });
}

async function revoke(
  tx: SqlTx,
  held: readonly Grant[],
  licenseId: string,
  entitlements: ReadonlySet<string>,
  reason: string | null,
): Promise<void> {
  const lost = held.filter(({ entitlementId }) => entitlements.has(entitlementId));
  const revoked = await revokeGrantsForGood(tx, lost, 'PLAN_CHANGED', reason);
  const keys = revoked.flatMap(({ licenseKeyId }) => licenseKeyId ?? []).sort();
  for (const licenseKeyId of keys) await retireLicenseKey(tx, { licenseKeyId, licenseId, reason });
}
