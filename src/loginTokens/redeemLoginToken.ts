import { recordChange } from '../events/recordChange.js';
import type { RedeemLoginTokenInput } from '../generated/graphql.js';
import type { LoginToken } from '../generated/prisma/client.js';
import { refusal } from '../kernel/refusal.js';
import { tenantViewer, type RequestContext } from '../kernel/requestContext.js';
import { columnsOf } from '../kernel/rows.js';
import { tokenHash } from '../kernel/secret.js';
import { inSqlTransaction } from '../kernel/transaction.js';

const NOT_VALID = 'The login token is not valid. Send the customer through `issueLoginToken` again.';

/**
 * Uses a token up, if it can be redeemed: one guarded statement, the same whatever the token is. Of several callers the first
 * one locks the row; the others wait, read it again and find it used. The customer is locked too, so that an erasure that runs
 * is waited for and seen.
 * $1 business, $2 mode, $3 hash, $4 now, $5 the brand that `Brand-URL` names, or null
 */
const redeem = `WITH valid AS (
    SELECT t.business_id, t.mode, t.id FROM login_tokens t
      JOIN customers c ON c.business_id = t.business_id AND c.mode = t.mode AND c.id = t.customer_id
      JOIN api_keys k ON k.business_id = t.business_id AND k.id = t.api_key_id
     WHERE t.business_id = $1 AND t.mode = $2 AND t.token_hash = $3 AND t.redeemed_at IS NULL AND t.expires_at > $4
       AND c.erased_at IS NULL AND k.revoked_at IS NULL AND ($5::uuid IS NULL OR c.brand_id = $5)
       FOR UPDATE OF t FOR SHARE OF c)
  UPDATE login_tokens l SET redeemed_at = $4, version = l.version + 1, updated_at = $4 FROM valid
   WHERE l.business_id = valid.business_id AND l.mode = valid.mode AND l.id = valid.id
  RETURNING ${columnsOf('LoginToken', 'l')}`;

/**
 * Tells a service who came with a login token, once. What cannot be redeemed is refused alike, whatever the reason: nobody learns
 * from the answer, or from how long it takes, whether a token was ever one. The ids of the result are all that is kept for a
 * retry; the identity is read anew.
 * @throws Refusal LoginTokenNotValid
 */
export async function redeemLoginToken(
  ctx: RequestContext,
  input: RedeemLoginTokenInput,
): Promise<{ loginTokenId: string; customerId: string }> {
  const { businessId, mode, brandId } = tenantViewer(ctx);
  const values = [businessId, mode, tokenHash(input.token), ctx.now, brandId];
  return inSqlTransaction(ctx, async (tx) => {
    const [loginToken] = await tx.sql<LoginToken>('redeem_login_token', redeem, values);
    if (!loginToken) throw refusal('LoginTokenNotValid', ['input', 'token'], NOT_VALID);
    const { id, customerId, redeemedAt, version } = loginToken;
    recordChange(tx, {
      type: 'login_token.redeemed',
      objectType: 'LoginToken',
      objectId: id,
      sequence: version,
      before: { redeemedAt: null },
      after: { redeemedAt },
      snapshot: loginToken,
    });
    return { loginTokenId: id, customerId };
  });
}
