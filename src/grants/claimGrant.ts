import { recordChange } from '../events/recordChange.js';
import type { ClaimGrantInput } from '../generated/graphql.js';
import type { Grant } from '../generated/prisma/client.js';
import { Refusal, refusal } from '../kernel/refusal.js';
import type { RequestContext } from '../kernel/requestContext.js';
import { columnsOf } from '../kernel/rows.js';
import { inSqlTransaction } from '../kernel/transaction.js';
import { claimEnd, whyNotFulfillable } from './grant.js';
import { lockGrant } from './lockGrant.js';

/**
 * Reserves a grant that waits for a key for the agent that `X-Actor` names, for 15 minutes; claiming again begins them anew. A
 * claim whose time is over may be taken by anybody. Of several agents at once, one wins.
 * @throws Refusal ActorRequired, GrantNotFound, ModeMismatch, BrandMismatch, NotALicenseKeyGrant, NotManualFulfillment,
 *   GrantNotPending, GrantHasKey, GrantClaimed
 */
export async function claimGrant(ctx: RequestContext, input: ClaimGrantInput): Promise<{ grantId: string }> {
  const { actor, now } = ctx;
  if (actor === null) throw refusal('ActorRequired', ['input'], 'Name the agent in the header `X-Actor`.');
  return inSqlTransaction(ctx, async (tx) => {
    const { grant } = await lockGrant(tx, input.grantId);
    const why = whyNotFulfillable(grant, ctx);
    if (why) throw new Refusal([why]);
    const claim = { claimedBy: actor, claimedUntil: claimEnd(now) };
    const [claimed] = (await tx.sql<Grant>(
      'claim_grant',
      `UPDATE grants SET claimed_by = $4, claimed_until = $5, version = version + 1, updated_at = $6
        WHERE business_id = $1 AND mode = $2 AND id = $3
          AND status = 'PENDING' AND license_key_id IS NULL AND (claimed_by = $4 OR claimed_until <= $6 OR claimed_by IS NULL)
        RETURNING ${columnsOf('Grant')}`,
      [grant.businessId, grant.mode, grant.id, claim.claimedBy, claim.claimedUntil, now],
    )) as [Grant];
    recordChange(tx, {
      type: 'entitlement_grant.claimed',
      objectType: 'Grant',
      objectId: grant.id,
      sequence: claimed.version,
      before: { claimedBy: grant.claimedBy, claimedUntil: grant.claimedUntil },
      after: claim,
      snapshot: claimed,
    });
    return { grantId: grant.id };
  });
}
