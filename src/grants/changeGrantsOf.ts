import { recordChange } from '../events/recordChange.js';
import type { Customer, Entitlement, Grant, License } from '../generated/prisma/client.js';
import { changedFields } from '../kernel/changedFields.js';
import { tenantOf } from '../kernel/requestContext.js';
import { columnsOf } from '../kernel/rows.js';
import type { SqlTx } from '../kernel/transaction.js';
import type { RestorableCause } from '../lifecycle/transitions.js';
import { drawWhatIsLeft, neededFromPools, type PoolDraws } from '../licenseKeys/drawPoolKeys.js';
import { keyMakerFor } from '../licenseKeys/keyMaker.js';
import { retireLicenseKey } from '../licenseKeys/retireLicenseKey.js';
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
  if (entitlements.size === 0) return;
  const { businessId, mode } = tenantOf(tx.ctx);
  const revoked = await tx.sql<Grant>(
    'revoke_grants_of_plan',
    `UPDATE grants SET status = 'REVOKED', status_before_revocation = coalesce(status_before_revocation, status),
        revoked_at = coalesce(revoked_at, $5), revocation_reason = 'PLAN_CHANGED', revocation_causes = '{}',
        error_code = NULL, error_message = NULL, claimed_by = NULL, claimed_until = NULL, version = version + 1, updated_at = $5
      WHERE business_id = $1 AND mode = $2 AND license_id = $3 AND entitlement_id = ANY ($4::uuid[])
        AND (status <> 'REVOKED' OR revocation_causes <> '{}') RETURNING ${columnsOf('Grant')}`,
    [businessId, mode, licenseId, [...entitlements], tx.ctx.now],
  );
  const before = new Map(held.map((grant) => [grant.id, grant]));
  for (const grant of revoked) {
    const { updatedAt: _, version, ...fields } = grant;
    recordChange(tx, {
      type: 'entitlement_grant.revoked',
      objectType: 'Grant',
      objectId: grant.id,
      sequence: version,
      ...changedFields(before.get(grant.id) as Grant, fields),
      snapshot: grant,
      reason,
    });
    const { licenseKeyId } = grant;
    if (licenseKeyId !== null) await retireLicenseKey(tx, { licenseKeyId, licenseId, reason });
  }
}
