import { recordChange, type ChangeType } from '../events/recordChange.js';
import type { Grant } from '../generated/prisma/client.js';
import { changedFields } from '../kernel/changedFields.js';
import { tenantOf } from '../kernel/requestContext.js';
import { columnsOf } from '../kernel/rows.js';
import type { SqlTx } from '../kernel/transaction.js';
import { requeueWithdrawn } from '../mail/requeueWithdrawn.js';
import { carryOutDueEffects, restoredType } from './carryOutDueEffects.js';
import { startKeys } from './startKeys.js';

const finalReasons: ReadonlySet<Grant['revocationReason']> = new Set([
  'MANUAL',
  'LICENSE_CANCELLED',
  'REFUND',
  'PLAN_CHANGED',
]);

/** Whether a grant was taken back for good. */
export function isRevokedForGood({ status, revocationReason }: Pick<Grant, 'status' | 'revocationReason'>): boolean {
  return status === 'REVOKED' && finalReasons.has(revocationReason);
}

/**
 * A step: the grants that delivered a key, locked, once what happened to their licenses by itself has been written of them. Before the key itself is locked, as revoking and cancelling do, so that
 * nobody waits crosswise. A key gets its grant when it is made, so none can come to it meanwhile.
 */
export async function lockGrantsOfKey(tx: SqlTx, licenseKeyId: string): Promise<Grant[]> {
  const { businessId, mode } = tenantOf(tx.ctx);
  const stored = await tx.sql<Grant>(
    'lock_grants_of_key',
    `SELECT ${columnsOf('Grant')} FROM grants WHERE business_id = $1 AND mode = $2 AND license_key_id = $3
      ORDER BY id FOR NO KEY UPDATE`,
    [businessId, mode, licenseKeyId],
  );
  const grants: Grant[] = [];
  for (const grant of stored) grants.push(grant.licenseId === null ? grant : await carryOutDueEffects(tx, grant));
  return grants;
}

const own = `business_id = $1 AND mode = $2 AND id = $3`;
const touch = 'claimed_by = NULL, claimed_until = NULL, version = version + 1, updated_at = $4';

/**
 * A step: takes back the locked grants of a key until it is enabled again. A grant that another cause holds notes this one
 * too; one that was taken back for good keeps its reason. Records `entitlement_grant.revoked`, and `entitlement_grant.updated`
 * for one more cause. The rule for causes is the one of `grantsOfLicense.ts`.
 */
export async function revokeGrantsOfKey(tx: SqlTx, grants: readonly Grant[], reason: string | null): Promise<void> {
  for (const grant of grants) {
    if (isRevokedForGood(grant) || grant.revocationCauses.includes('KEY_DISABLED')) continue;
    await changeGrant(tx, grant, {
      name: 'revoke_grant_of_key',
      text: `UPDATE grants SET status = 'REVOKED', status_before_revocation = coalesce(status_before_revocation, status),
          revoked_at = coalesce(revoked_at, $4), revocation_reason = coalesce(revocation_reason, 'KEY_DISABLED'),
          revocation_causes = array_append(revocation_causes, 'KEY_DISABLED'), ${touch}
        WHERE ${own} RETURNING ${columnsOf('Grant')}`,
      type: (before) => (before.status === 'REVOKED' ? 'entitlement_grant.updated' : 'entitlement_grant.revoked'),
      reason,
    });
  }
}

/**
 * A step: ends that cause for the locked grants of a key. What nothing else holds is again what it was before, a key that is
 * delivered only now begins its time, and a mail that was withdrawn meanwhile goes out after all. Records
 * `entitlement_grant.restored`, `entitlement_grant.delivered` or `entitlement_grant.updated`, as `restoreGrantsOf` does.
 */
export async function restoreGrantsOfKey(tx: SqlTx, grants: readonly Grant[], reason: string | null): Promise<void> {
  const rest = `array_remove(revocation_causes, 'KEY_DISABLED')`;
  const unlessHeld = (value: string, held: string) => `CASE WHEN ${rest} = '{}' THEN ${value} ELSE ${held} END`;
  const delivered: string[] = [];
  for (const grant of grants) {
    if (!grant.revocationCauses.includes('KEY_DISABLED')) continue;
    const now = await changeGrant(tx, grant, {
      name: 'restore_grant_of_key',
      text: `UPDATE grants SET status = ${unlessHeld('status_before_revocation', 'status')},
          status_before_revocation = ${unlessHeld('NULL', 'status_before_revocation')},
          revoked_at = ${unlessHeld('NULL', 'revoked_at')},
          delivered_at = CASE WHEN ${rest} = '{}' AND status_before_revocation = 'DELIVERED'
            THEN coalesce(delivered_at, greatest($4, created_at)) ELSE delivered_at END,
          revocation_reason = (${rest})[1]::revocation_reason,
          revocation_causes = ${rest}, ${touch}
        WHERE ${own} RETURNING ${columnsOf('Grant')}`,
      type: restoredType,
      reason,
    });
    await startKeys(tx, [{ before: grant, after: now }]);
    if (now.status === 'DELIVERED') delivered.push(now.id);
  }
  await requeueWithdrawn(tx, delivered);
}

async function changeGrant(
  tx: SqlTx,
  grant: Grant,
  {
    name,
    text,
    type,
    reason,
  }: { name: string; text: string; type: (before: Grant, after: Grant) => ChangeType; reason: string | null },
): Promise<Grant> {
  const [now] = await tx.sql<Grant>(name, text, [grant.businessId, grant.mode, grant.id, tx.ctx.now]);
  if (!now) throw new Error('a locked grant is gone');
  const { updatedAt: _, version, ...fields } = now;
  const about = { objectType: 'Grant', objectId: grant.id, sequence: version, snapshot: now, reason } as const;
  recordChange(tx, { type: type(grant, now), ...about, ...changedFields(grant, fields) });
  return now;
}
