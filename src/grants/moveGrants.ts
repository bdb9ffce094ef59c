import { recordChange } from '../events/recordChange.js';
import type { Grant } from '../generated/prisma/client.js';
import { changedFields } from '../kernel/changedFields.js';
import { tenantOf } from '../kernel/requestContext.js';
import { columnsOf } from '../kernel/rows.js';
import type { SqlTx } from '../kernel/transaction.js';
import { requeueWithdrawn } from '../mail/requeueWithdrawn.js';
import { restoredType } from './carryOutDueEffects.js';
import { lockGrantsOf } from './grantsOfLicense.js';
import { startKeys } from './startKeys.js';

/** What stopped the old license does not stop its renewal; whatever else took a grant back for a while goes on to. */
const rest =
  "(SELECT coalesce(array_agg(c.cause ORDER BY c.n), '{}') FROM unnest(g.revocation_causes) WITH ORDINALITY AS c (cause, n) WHERE c.cause NOT IN ('LICENSE_PAUSED', 'LICENSE_BLOCKED', 'LICENSE_EXPIRED'))";
const unlessHeld = (value: string, held: string) =>
  `CASE WHEN g.status = 'REVOKED' AND ${rest} = '{}' THEN ${value} ELSE ${held} END`;

const statement = `UPDATE grants g SET license_id = $4,
    status = ${unlessHeld('status_before_revocation', 'status')},
    status_before_revocation = ${unlessHeld('NULL', 'status_before_revocation')},
    delivered_at = ${unlessHeld("CASE WHEN status_before_revocation = 'DELIVERED' THEN coalesce(delivered_at, greatest($5, created_at)) ELSE delivered_at END", 'delivered_at')},
    revoked_at = ${unlessHeld('NULL', 'revoked_at')}, revocation_reason = (${rest})[1]::revocation_reason,
    revocation_causes = ${rest}, version = version + 1, updated_at = $5
  WHERE business_id = $1 AND mode = $2 AND license_id = $3 AND (status <> 'REVOKED' OR revocation_causes <> '{}')
    AND NOT EXISTS (SELECT 1 FROM grants r WHERE r.business_id = $1 AND r.mode = $2 AND r.license_id = $4
      AND r.entitlement_id = g.entitlement_id AND (r.status <> 'REVOKED' OR r.revocation_causes <> '{}'))
  RETURNING ${columnsOf('Grant', 'g')}`;

/**
 * A step: carries the grants of a license over to its renewal; what was taken back for good stays where it was, and so does what
 * the renewal has a grant of already. What was taken back because the old license was stopped or had ended comes back, and mails
 * that were withdrawn meanwhile go out; what is delivered only now begins its time. Records `entitlement_grant.restored`, or
 * `entitlement_grant.delivered` for what was never delivered before, and `entitlement_grant.updated` for the others.
 */
export async function moveGrants(tx: SqlTx, fromLicenseId: string, toLicenseId: string): Promise<void> {
  const { businessId, mode } = tenantOf(tx.ctx);
  const before = await lockGrantsOf(tx, fromLicenseId);
  if (before.length === 0) return;
  const moved = await tx.sql<Grant>('move_grants', statement, [
    ...[businessId, mode, fromLicenseId, toLicenseId, tx.ctx.now],
  ]);
  const byId = new Map(before.map((grant) => [grant.id, grant]));
  const restored: { before: Grant; after: Grant }[] = [];
  for (const grant of moved) {
    const { updatedAt: _, version, ...fields } = grant;
    const old = byId.get(grant.id) as Grant;
    const isRestored = old.status === 'REVOKED' && grant.status !== 'REVOKED';
    if (isRestored && grant.status === 'DELIVERED') restored.push({ before: old, after: grant });
    const type = isRestored ? restoredType(old, grant) : 'entitlement_grant.updated';
    const about = { objectType: 'Grant', objectId: grant.id, sequence: version, snapshot: grant } as const;
    recordChange(tx, { type, ...about, ...changedFields(old, fields) });
  }
  await startKeys(tx, restored);
  await requeueWithdrawn(
    tx,
    restored.map(({ after }) => after.id),
  );
}
