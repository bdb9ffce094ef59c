import { recordChange, type ChangeType } from '../events/recordChange.js';
import type { Grant, License } from '../generated/prisma/client.js';
import { asServer } from '../kernel/asServer.js';
import { changedFields } from '../kernel/changedFields.js';
import { columnsOf } from '../kernel/rows.js';
import type { SqlTx } from '../kernel/transaction.js';
import { dueGrantEffects, type GrantEffect } from '../lifecycle/grantEffects.js';
import { requeueWithdrawn } from '../mail/requeueWithdrawn.js';
import { afterEffect } from './grantAsOf.js';
import { startKeys } from './startKeys.js';

const license = `SELECT ${columnsOf('License')} FROM licenses WHERE business_id = $1 AND mode = $2 AND id = $3`;

const write = `UPDATE grants SET status = $4, status_before_revocation = $5, revoked_at = $6, revocation_reason = $7,
    revocation_causes = $8, delivered_at = $9, error_code = $10, error_message = $11, claimed_by = NULL, claimed_until = NULL,
    version = version + 1, updated_at = $12
  WHERE business_id = $1 AND mode = $2 AND id = $3 RETURNING ${columnsOf('Grant')}`;

/**
 * A step: writes what has happened to a locked grant because something happened to its license by itself, each with its own
 * instant, and leaves the license to whoever carries that out: which finds this grant done. The license's row is read after the
 * grant's lock was had: nobody writes such a change of it without that lock.
 * @returns the grant as it then is
 */
export async function carryOutDueEffects(tx: SqlTx, stored: Grant): Promise<Grant> {
  const [found] = await tx.sql<License>('license_of_grant', license, [
    stored.businessId,
    stored.mode,
    stored.licenseId,
  ]);
  let grant = stored;
  for (const effect of found ? dueGrantEffects(found, tx.ctx.now) : []) {
    const next = afterEffect(grant, effect);
    if (next !== grant) grant = await writeGrant(asServer(tx, effect.at), grant, next, effect);
  }
  return grant;
}

async function writeGrant(tx: SqlTx, grant: Grant, next: Grant, effect: GrantEffect): Promise<Grant> {
  const [written] = (await tx.sql<Grant>('write_grant', write, [
    ...[grant.businessId, grant.mode, grant.id, next.status, next.statusBeforeRevocation, next.revokedAt],
    ...[next.revocationReason, next.revocationCauses, next.deliveredAt, next.errorCode, next.errorMessage, tx.ctx.now],
  ])) as [Grant];
  const { updatedAt: _, version, ...fields } = written;
  recordChange(tx, {
    type: changeTypeOf(grant, written, effect),
    objectType: 'Grant',
    objectId: grant.id,
    sequence: version,
    ...changedFields(grant, fields),
    snapshot: written,
  });
  if (effect.kind === 'RESTORE') await startKeys(tx, [{ before: grant, after: written }]);
  if (effect.kind === 'RESTORE' && written.status === 'DELIVERED') await requeueWithdrawn(tx, [grant.id]);
  return written;
}

function changeTypeOf(before: Grant, after: Grant, { kind }: GrantEffect): ChangeType {
  if (kind === 'REVOKE_FOR_GOOD') return 'entitlement_grant.revoked';
  if (kind === 'REVOKE') return before.status === 'REVOKED' ? 'entitlement_grant.updated' : 'entitlement_grant.revoked';
  return restoredType(before, after);
}

/** How the end of a cause is recorded: what was never delivered before is delivered by it. */
export function restoredType(before: Grant, after: Grant): ChangeType {
  if (after.status === 'REVOKED') return 'entitlement_grant.updated';
  const isFirst = after.status === 'DELIVERED' && before.deliveredAt === null;
  return isFirst ? 'entitlement_grant.delivered' : 'entitlement_grant.restored';
}
