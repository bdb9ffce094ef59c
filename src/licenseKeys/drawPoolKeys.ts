import type { Entitlement } from '../generated/prisma/client.js';
import { refusal } from '../kernel/refusal.js';
import { tenantOf } from '../kernel/requestContext.js';
import type { SqlTx } from '../kernel/transaction.js';
import type { DrawnKey } from './addLicenseKey.js';

/** Keys that were drawn, by pool: each is taken from the list when it is given. */
export type PoolDraws = ReadonlyMap<string, DrawnKey[]>;

type FromPool = Pick<Entitlement, 'integrationType' | 'licenseKeyPoolId'>;

/**
 * How many keys of each pool licenses need: one for each license and entitlement that draws from it, but for the first
 * license-key entitlement of the first license when its key is supplied.
 */
export function neededFromPools(
  entitlements: readonly FromPool[],
  licenses: number,
  isKeySupplied: boolean,
): Map<string, number> {
  const needed = new Map<string, number>();
  const keyed = entitlements.filter(({ integrationType }) => integrationType === 'LICENSE_KEY');
  keyed.forEach(({ licenseKeyPoolId }, i) => {
    const count = licenses - (i === 0 && isKeySupplied ? 1 : 0);
    if (licenseKeyPoolId === null || count === 0) return;
    needed.set(licenseKeyPoolId, (needed.get(licenseKeyPoolId) ?? 0) + count);
  });
  return needed;
}

/** @param wait what to do with keys that another transaction is drawing: pass them over, or wait for what becomes of it */
function statement(wait: '' | 'SKIP LOCKED'): string {
  return `WITH chosen AS (
      SELECT id FROM license_key_pool_keys WHERE business_id = $1 AND mode = $2 AND pool_id = $3 AND drawn_at IS NULL
        ORDER BY id LIMIT $4 FOR UPDATE ${wait})
    UPDATE license_key_pool_keys k SET drawn_at = $5 FROM chosen
      WHERE k.business_id = $1 AND k.mode = $2 AND k.id = chosen.id
      RETURNING k.id, k.key_ciphertext AS "keyCiphertext", k.last4`;
}

/**
 * A step: draws keys from pools, the oldest first, each for one taker only. Draws at the same time pass each other's keys over;
 * only when too few are left does one wait for the others, so that a key is not missed that somebody gives back. The caller makes license
 * keys of what was drawn in the same transaction.
 * @throws Refusal LicenseKeyPoolEmpty when a pool has too few keys of the mode: nothing is sold that cannot be delivered
 */
export async function drawPoolKeys(
  tx: SqlTx,
  needed: ReadonlyMap<string, number>,
  path: readonly string[],
): Promise<PoolDraws> {
  const draws = await drawWhatIsLeft(tx, needed);
  for (const [poolId, count] of needed) {
    const available = draws.get(poolId)?.length ?? 0;
    if (available < count) throw poolEmpty(path, count, available);
  }
  return draws;
}

/** A step: the same for what cannot be refused any more: of pools that have too few keys, all that are left. */
export async function drawWhatIsLeft(tx: SqlTx, needed: ReadonlyMap<string, number>): Promise<PoolDraws> {
  const { businessId, mode } = tenantOf(tx.ctx);
  const draws = new Map<string, DrawnKey[]>();
  // In one order for everybody, so that two takers of two pools do not wait crosswise.
  for (const [poolId, count] of [...needed].sort(([a], [b]) => (a < b ? -1 : 1))) {
    const draw = (name: string, text: string, wanted: number) =>
      tx.sql<DrawnKey>(name, text, [businessId, mode, poolId, wanted, tx.ctx.now]);
    const keys = await draw('draw_pool_keys', statement('SKIP LOCKED'), count);
    if (keys.length < count) keys.push(...(await draw('draw_last_pool_keys', statement(''), count - keys.length)));
    keys.sort((a, b) => (a.id < b.id ? -1 : 1));
    if (keys.length > 0) await link(tx, keys);
    draws.set(poolId, keys);
  }
  return draws;
}

/** From now on the texts find license keys. In a statement of its own, which sees all values that rekeying wrote before. */
async function link(tx: SqlTx, keys: readonly DrawnKey[]): Promise<void> {
  const { businessId, mode } = tenantOf(tx.ctx);
  await tx.sql(
    'link_drawn_keys',
    `UPDATE license_key_lookups SET license_key_id = pool_key_id
      WHERE business_id = $1 AND mode = $2 AND coalesce(rotation_id, license_key_id, pool_key_id) = ANY($3::uuid[])`,
    [businessId, mode, keys.map(({ id }) => id)],
  );
}

function poolEmpty(path: readonly string[], needed: number, available: number) {
  const message = `The pool of license keys has ${available} left and ${needed} are needed. Add keys to it, then try again.`;
  return refusal('LicenseKeyPoolEmpty', path, message, { needed, available });
}
