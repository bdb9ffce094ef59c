import { recordChange } from '../events/recordChange.js';
import type { RevokeGrantInput } from '../generated/graphql.js';
import type { Grant } from '../generated/prisma/client.js';
import { changedFields } from '../kernel/changedFields.js';
import { refuseIfAny, type UserErrorData } from '../kernel/refusal.js';
import type { RequestContext } from '../kernel/requestContext.js';
import { columnsOf } from '../kernel/rows.js';
import { checkLength, presentText } from '../kernel/text.js';
import { inSqlTransaction, type SqlTx } from '../kernel/transaction.js';
import { retireLicenseKey } from '../licenseKeys/retireLicenseKey.js';
import { isRevokedForGood } from './changeGrants.js';
import { lockGrant } from './lockGrant.js';

/**
 * Takes a grant back by hand, for good, and disables its key unless another license that is not cancelled uses it. What
 * was taken back for a while does not come back any more; revoking again what was taken back for good changes nothing, not even
 * the note.
 * @throws Refusal InvalidInput, GrantNotFound, ModeMismatch, BrandMismatch
 */
export async function revokeGrant(ctx: RequestContext, input: RevokeGrantInput): Promise<{ grantId: string }> {
  const note = presentText(input.note);
  const problems: UserErrorData[] = [];
  checkLength(problems, ['input', 'note'], note, 1, 2000);
  refuseIfAny(problems);
  return inSqlTransaction(ctx, async (tx) => {
    const { grant, isCarriedOut } = await lockGrant(tx, input.grantId);
    const isForGood = isRevokedForGood(grant);
    if (!isForGood) await revoke(tx, grant, note);
    // Its license's end is written by others, or dropped in this moment: the key goes either way.
    const { licenseKeyId, licenseId } = grant;
    if (licenseKeyId !== null && (!isForGood || isCarriedOut)) {
      await retireLicenseKey(tx, { licenseKeyId, licenseId, reason: note });
    }
    return { grantId: grant.id };
  });
}

async function revoke(tx: SqlTx, grant: Grant, note: string | null): Promise<void> {
  const [revoked] = (await tx.sql<Grant>(
    'revoke_grant',
    `UPDATE grants SET status = 'REVOKED', status_before_revocation = coalesce(status_before_revocation, status),
        revoked_at = coalesce(revoked_at, $4), revocation_reason = 'MANUAL', revocation_causes = '{}', revocation_note = $5,
        claimed_by = NULL, claimed_until = NULL, error_code = NULL, error_message = NULL, version = version + 1, updated_at = $4
      WHERE business_id = $1 AND mode = $2 AND id = $3 AND (status <> 'REVOKED' OR revocation_causes <> '{}')
      RETURNING ${columnsOf('Grant')}`,
    [grant.businessId, grant.mode, grant.id, tx.ctx.now, note],
  )) as [Grant];
  const { updatedAt: _, version, ...fields } = revoked;
  recordChange(tx, {
    type: 'entitlement_grant.revoked',
    objectType: 'Grant',
    objectId: grant.id,
    sequence: version,
    ...changedFields(grant, fields),
    snapshot: revoked,
    reason: note,
  });
}
