import { tenantOf } from '../kernel/requestContext.js';
import type { SqlTx } from '../kernel/transaction.js';
import { keyHmacs } from './keyHmacs.js';
import { KEY_INDEX } from './licenseKey.js';

/**
 * A step: refuses a supplied key that is stored under a secret which is being rotated out. The unique index sees only values of
 * one secret; outside of a rotation it suffices, and this costs nothing.
 * @throws Error that looks as if the unique index had been violated, so that `licenseKeyTaken` answers both
 */
export async function refuseKnownKey(tx: SqlTx, key: string): Promise<void> {
  if (tx.ctx.keyring.hmac.keys.size === 1) return;
  const tenant = tenantOf(tx.ctx);
  const values = keyHmacs(tx.ctx.keyring, tenant, key).map(({ keyHmac }) => keyHmac);
  const known = await tx.sql(
    'known_license_key',
    'SELECT 1 AS one FROM license_keys WHERE business_id = $1 AND mode = $2 AND key_hmac = ANY($3)',
    [tenant.businessId, tenant.mode, values],
  );
  if (known.length > 0) throw Object.assign(new Error('the key is stored already'), { constraint: KEY_INDEX });
}
