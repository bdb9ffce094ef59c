import { recordChange, type ChangeType } from '../events/recordChange.js';
import type { Grant, RevocationReason } from '../generated/prisma/client.js';
import { changedFields } from '../kernel/changedFields.js';
import { tenantOf } from '../kernel/requestContext.js';
import { columnsOf } from '../kernel/rows.js';
import type { SqlTx } from '../kernel/transaction.js';
import type { RestorableCause } from '../lifecycle/transitions.js';
import { requeueWithdrawn } from '../mail/requeueWithdrawn.js';
import { restoredType } from './carryOutDueEffects.js';
import { startKeys } from './startKeys.js';

/** What ends, so that what it took back comes back: of a license, or of a key. */
export type PassingCause = RestorableCause | 'KEY_DISABLED';

/** Causes that take back for good, beside a revocation by hand. */
export type FinalCause = Extract<RevocationReason, 'LICENSE_CANCELLED' | 'REFUND' | 'PLAN_CHANGED'>;

/** Whether a grant was taken back for good: no cause that could end holds it. */
export function isRevokedForGood({ status, revocationCauses }: Pick<Grant, 'status' | 'revocationCauses'>): boolean {
  return status === 'REVOKED' && revocationCauses.length === 0;
}

const these = 'business_id = $1 AND mode = $2 AND id = ANY ($3::uuid[])';
const notForGood = "(status <> 'REVOKED' OR revocation_causes <> '{}')";
const touch = 'claimed_by = NULL, claimed_until = NULL, version = version + 1, updated_at = $5';
const returning = `RETURNING ${columnsOf('Grant')}`;
const rest = 'array_remove(revocation_causes, $4::text)';
const unlessHeld = (value: string, held: string) => `CASE WHEN ${rest} = '{}' THEN ${value} ELSE ${held} END`;

interface GrantsUpdate {
  readonly name: string;
  /** Over the tenant, the grants' ids, the cause and now; gives back the rows that it changes. */
  readonly text: string;
  readonly type: (before: Grant, after: Grant) => ChangeType;
}

const revocation: GrantsUpdate = {
  name: 'revoke_grants',
  text: `UPDATE grants SET status = 'REVOKED', status_before_revocation = coalesce(status_before_revocation, status),
      revoked_at = coalesce(revoked_at, $5), revocation_reason = coalesce(revocation_reason, $4::revocation_reason),
      revocation_causes = array_append(revocation_causes, $4::text), ${touch}
    WHERE ${these} AND ${notForGood} AND NOT $4::text = ANY (revocation_causes) ${returning}`,
  type: (before) => (before.status === 'REVOKED' ? 'entitlement_grant.updated' : 'entitlement_grant.revoked'),
};

const revocationForGood: GrantsUpdate = {
  name: 'revoke_grants_for_good',
  text: `UPDATE grants SET status = 'REVOKED', status_before_revocation = coalesce(status_before_revocation, status),
      revoked_at = coalesce(revoked_at, $5), revocation_reason = $4::revocation_reason, revocation_causes = '{}',
      error_code = NULL, error_message = NULL, ${touch}
    WHERE ${these} AND ${notForGood} ${returning}`,
  type: () => 'entitlement_grant.revoked',
};

const restoration: GrantsUpdate = {
  name: 'restore_grants',
  text: `UPDATE grants SET status = ${unlessHeld('status_before_revocation', 'status')},
      status_before_revocation = ${unlessHeld('NULL', 'status_before_revocation')},
      revoked_at = ${unlessHeld('NULL', 'revoked_at')},
      delivered_at = CASE WHEN ${rest} = '{}' AND status_before_revocation = 'DELIVERED'
        THEN coalesce(delivered_at, greatest($5, created_at)) ELSE delivered_at END,
      revocation_reason = (${rest})[1]::revocation_reason,
      revocation_causes = ${rest}, ${touch}
    WHERE ${these} AND $4::text = ANY (revocation_causes) ${returning}`,
  type: restoredType,
};

/**
 * A step: takes back locked grants until the cause ends. A grant that another such cause holds stays as it is and notes this one
 * too: its reason is the oldest cause that holds. One that was taken back for good stays. Records `entitlement_grant.revoked`,
 * and `entitlement_grant.updated` for one more cause.
 */
export async function revokeGrants(
  tx: SqlTx,
  grants: readonly Grant[],
  cause: PassingCause,
  reason: string | null,
): Promise<void> {
  await change(tx, grants, cause, reason, revocation);
}

/**
 * A step: takes back locked grants for good, also those that were taken back for a while; what was taken back for good before
 * keeps its reason.
 * @returns the grants that it changed, as they are now
 */
export async function revokeGrantsForGood(
  tx: SqlTx,
  grants: readonly Grant[],
  cause: FinalCause,
  reason: string | null,
): Promise<Grant[]> {
  const changed = await change(tx, grants, cause, reason, revocationForGood);
  return changed.map(({ after }) => after);
}

/**
 * A step: ends a cause for locked grants. What no other cause holds is again what it was before, a key that is delivered only
 * now begins its time, and a mail that was withdrawn meanwhile goes out after all; the rest goes on under its next cause.
 * Records `entitlement_grant.restored`, or `entitlement_grant.delivered` for what was never delivered before, and
 * `entitlement_grant.updated` where other causes remain.
 */
export async function restoreGrants(
  tx: SqlTx,
  grants: readonly Grant[],
  cause: PassingCause,
  reason: string | null,
): Promise<void> {
  const changed = await change(tx, grants, cause, reason, restoration);
  await startKeys(tx, changed);
  const delivered = changed.filter(({ after }) => after.status === 'DELIVERED');
  await requeueWithdrawn(
    tx,
    delivered.map(({ after }) => after.id),
  );
}

async function change(
  tx: SqlTx,
  grants: readonly Grant[],
  cause: RevocationReason,
  reason: string | null,
  { name, text, type }: GrantsUpdate,
): Promise<{ before: Grant; after: Grant }[]> {
  if (grants.length === 0) return [];
  const { businessId, mode } = tenantOf(tx.ctx);
  const ids = grants.map(({ id }) => id);
  const changed = await tx.sql<Grant>(name, text, [businessId, mode, ids, cause, tx.ctx.now]);
  const byId = new Map(changed.map((grant) => [grant.id, grant]));
  return grants.flatMap((before) => {
    const after = byId.get(before.id);
    if (!after) return [];
    const { updatedAt: _, version, ...fields } = after;
    const about = { objectType: 'Grant', objectId: after.id, sequence: version, snapshot: after, reason } as const;
    recordChange(tx, { type: type(before, after), ...about, ...changedFields(before, fields) });
    return [{ before, after }];
  });
}
