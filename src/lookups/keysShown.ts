import { tenantOf, type RequestContext } from '../kernel/requestContext.js';
import { maskedKey } from '../licenseKeys/licenseKey.js';
import { revealKeys } from '../licenseKeys/revealKeys.js';

/** Of several keys the one that works, of several such the newest: the one that a program would have to be given. */
const text = `SELECT DISTINCT ON (b.license_id) b.license_id AS "licenseId", k.id, k.last4
  FROM license_key_bindings b
  JOIN license_keys k ON k.business_id = b.business_id AND k.mode = b.mode AND k.id = b.license_key_id
  WHERE b.business_id = $1 AND b.mode = $2 AND b.license_id = ANY($3::uuid[])
  ORDER BY b.license_id, (k.status = 'ACTIVE' AND (k.expires_at <= $4) IS NOT TRUE) DESC, b.created_at DESC, k.id DESC`;

/**
 * The key of each license as the caller may see it: in full with `LICENSE_KEYS_REVEAL`, which is recorded for each key, else
 * masked. However many licenses there are: one statement, and two more to reveal.
 * @returns texts in the order of the licenses; null for one without a key
 */
export async function keysShown(ctx: RequestContext, licenseIds: readonly string[]): Promise<(string | null)[]> {
  const { businessId, mode } = tenantOf(ctx);
  const values = [businessId, mode, licenseIds, ctx.now];
  const keys = await ctx.db.sql<{ licenseId: string; id: string; last4: string }>('keys_of_licenses', text, values);
  const mayReveal = ctx.viewer.principal === 'API_KEY' && ctx.viewer.scopes.has('LICENSE_KEYS_REVEAL');
  const ids = [...new Set(keys.map(({ id }) => id))];
  const texts = mayReveal && ids.length > 0 ? await revealKeys(ctx, 'LicenseKey', ids) : new Map<string, string>();
  const shown = new Map(keys.map((key) => [key.licenseId, texts.get(key.id) ?? maskedKey(key)]));
  return licenseIds.map((id) => shown.get(id) ?? null);
}
