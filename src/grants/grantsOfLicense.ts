import { recordChange, type ChangeType } from '../events/recordChange.js';
import type { Grant, LicenseKeyBinding, RevocationReason } from '../generated/prisma/client.js';
import { changedFields } from '../kernel/changedFields.js';
import { tenantOf } from '../kernel/requestContext.js';
import { columnsOf } from '../kernel/rows.js';
import type { SqlTx } from '../kernel/transaction.js';
import type { RestorableCause } from '../lifecycle/transitions.js';
import { retireLicenseKey } from '../licenseKeys/retireLicenseKey.js';
import { requeueWithdrawn } from '../mail/requeueWithdrawn.js';
import { restoredType } from './carryOutDueEffects.js';
import { startKeys } from './startKeys.js';

/** Causes that take back for good. */
export type FinalCause = Extract<RevocationReason, 'LICENSE_CANCELLED' | 'REFUND' | 'PLAN_CHANGED'>;

const ofLicense = 'business_id = $1 AND mode = $2 AND license_id = $3';
const revocableOnce = "(status <> 'REVOKED' OR revocation_causes <> '{}')";
const touch = 'claimed_by = NULL, claimed_until = NULL, version = version + 1, updated_at = $5';
const returning = `RETURNING ${columnsOf('Grant')}`;

/**
 * A step: takes back a license's grants until the cause ends. A grant that another such cause holds stays as it is and notes
 * this one too; its reason is the oldest cause that holds. Keys keep their own status: the license says that they do not work.
 * Records `entitlement_grant.revoked`, and `entitlement_grant.updated` for one more cause.
 */
export async function revokeGrantsOf(
  tx: SqlTx,
  licenseId: string,
  cause: RestorableCause,
  reason: string | null,
): Promise<void> {
  await change(tx, licenseId, cause, reason, {
    name: 'revoke_grants_of_license',
    text: `UPDATE grants SET status = 'REVOKED', status_before_revocation = coalesce(status_before_revocation, status),
        revoked_at = coalesce(revoked_at, $5), revocation_reason = coalesce(revocation_reason, $4::revocation_reason),
        revocation_causes = array_append(revocation_causes, $4::text), ${touch}
      WHERE ${ofLicense} AND ${revocableOnce} AND NOT $4::text = ANY (revocation_causes) ${returning}`,
    type: (before) => (before.status === 'REVOKED' ? 'entitlement_grant.updated' : 'entitlement_grant.revoked'),
  });
}

/**
 * A step: ends a cause. What no other cause holds is again what it was before, a key that is delivered only now begins its
 * time, and a mail that was withdrawn meanwhile goes out after all; the rest goes on under its next cause. Records
 * `entitlement_grant.restored`, or `entitlement_grant.delivered` for what was never delivered before, and
 * `entitlement_grant.updated` where other causes remain.
 */
export async function restoreGrantsOf(
  tx: SqlTx,
  licenseId: string,
  cause: RestorableCause,
  reason: string | null,
): Promise<void> {
  const rest = 'array_remove(revocation_causes, $4::text)';
  const unlessHeld = (value: string, held: string) => `CASE WHEN ${rest} = '{}' THEN ${value} ELSE ${held} END`;
  const changed = await change(tx, licenseId, cause, reason, {
    name: 'restore_grants_of_license',
    text: `UPDATE grants SET status = ${unlessHeld('status_before_revocation', 'status')},
        status_before_revocation = ${unlessHeld('NULL', 'status_before_revocation')},
        revoked_at = ${unlessHeld('NULL', 'revoked_at')},
        delivered_at = CASE WHEN ${rest} = '{}' AND status_before_revocation = 'DELIVERED'
          THEN coalesce(delivered_at, greatest($5, created_at)) ELSE delivered_at END,
        revocation_reason = (${rest})[1]::revocation_reason,
        revocation_causes = ${rest}, ${touch}
      WHERE ${ofLicense} AND $4::text = ANY (revocation_causes) ${returning}`,
    type: restoredType,
  });
  await startKeys(tx, changed);
  const delivered = changed.filter(({ after }) => after.status === 'DELIVERED');
  await requeueWithdrawn(
    tx,
    delivered.map(({ after }) => after.id),
  );
}

/**
 * A step: takes back a license's grants for good, also those that were taken back for a while, and disables the license's keys
 * unless another license that is not cancelled uses them. What was taken back for good before keeps its reason.
 */
export async function revokeGrantsForGoodOf(
  tx: SqlTx,
  licenseId: string,
  cause: FinalCause,
  reason: string | null,
): Promise<void> {
  await change(tx, licenseId, cause, reason, {
    name: 'revoke_grants_of_license_for_good',
    text: `UPDATE grants SET status = 'REVOKED', status_before_revocation = coalesce(status_before_revocation, status),
        revoked_at = coalesce(revoked_at, $5), revocation_reason = $4::revocation_reason, revocation_causes = '{}',
        error_code = NULL, error_message = NULL, ${touch}
      WHERE ${ofLicense} AND ${revocableOnce} ${returning}`,
    type: () => 'entitlement_grant.revoked',
  });
  const { businessId, mode } = tenantOf(tx.ctx);
  const keys = await tx.sql<Pick<LicenseKeyBinding, 'licenseKeyId'>>(
    'keys_of_license',
    `SELECT license_key_id AS "licenseKeyId" FROM license_key_bindings WHERE ${ofLicense} ORDER BY license_key_id`,
    [businessId, mode, licenseId],
  );
  for (const { licenseKeyId } of keys) await retireLicenseKey(tx, { licenseKeyId, licenseId, reason });
}

interface GrantsUpdate {
  readonly name: string;
  /** Over the tenant, the license, the cause and now; gives the rows back. */
  readonly text: string;
  readonly type: (before: Grant, after: Grant) => ChangeType;
}

/** A step, one statement: a license's grants, those that were taken back too, locked until the transaction ends. */
export async function lockGrantsOf(tx: SqlTx, licenseId: string): Promise<Grant[]> {
  const { businessId, mode } = tenantOf(tx.ctx);
  return tx.sql<Grant>(
    'lock_grants_of_license',
    `SELECT ${columnsOf('Grant')} FROM grants WHERE ${ofLicense} ORDER BY id FOR NO KEY UPDATE`,
    [businessId, mode, licenseId],
  );
}

async function change(
  tx: SqlTx,
  licenseId: string,
  cause: RevocationReason,
  reason: string | null,
  { name, text, type }: GrantsUpdate,
): Promise<{ before: Grant; after: Grant }[]> {
  const { businessId, mode } = tenantOf(tx.ctx);
  const before = await lockGrantsOf(tx, licenseId);
  if (before.length === 0) return [];
  const changed = await tx.sql<Grant>(name, text, [businessId, mode, licenseId, cause, tx.ctx.now]);
  const byId = new Map(changed.map((grant) => [grant.id, grant]));
  for (const grant of before) {
    const now = byId.get(grant.id);
    if (!now) continue;
    const { updatedAt: _, version, ...fields } = now;
    const about = { objectType: 'Grant', objectId: grant.id, sequence: version, snapshot: now, reason } as const;
    recordChange(tx, { type: type(grant, now), ...about, ...changedFields(grant, fields) });
  }
  return before.flatMap((grant) => {
    const after = byId.get(grant.id);
    return after ? [{ before: grant, after }] : [];
  });
}
