import type { ProductKey } from '../generated/prisma/client.js';
import type { SqlTx } from '../kernel/transaction.js';
import { readCharges, type KeyCharges } from '../pricing/readCharges.js';
import { lockMeters } from '../productKeys/lockMeters.js';
import { lockProductKey, refuseEnded } from '../productKeys/lockProductKey.js';

/** A locked product key, what charges it, and from when on a change of that counts. */
export interface LockedCharges extends KeyCharges {
  readonly key: ProductKey;
  /** Now; never before the present period, nor before the last change, whatever the clocks of other processes said. */
  readonly at: Date;
}

const isOfKey = 'a.business_id = $1 AND a.mode = $2 AND a.product_key_id = $3';
const lastText = `SELECT greatest($4::timestamptz, $5::timestamptz,
    (SELECT max(greatest(a.attached_at, a.detached_at)) FROM product_key_pricing_rules a WHERE ${isOfKey}),
    (SELECT max(greatest(a.attached_at, a.detached_at)) FROM product_key_discounts a WHERE ${isOfKey})) AS at`;

/**
 * A step: the product key that an input names, locked, with what charges it. Periods that are over are closed before, with what
 * charged them.
 * @throws Refusal ProductKeyNotFound, ModeMismatch, BrandMismatch, StaleObject, ProductKeyEnded
 */
export async function lockCharges(
  tx: SqlTx,
  input: { productKeyId: string; expectedVersion?: number | null },
): Promise<LockedCharges> {
  const key = await lockProductKey(tx, input);
  refuseEnded(key);
  const meter = (await lockMeters(tx, [key])).get(key.id);
  if (!meter) throw new Error('a product key has no meter');
  const charges = (await readCharges(tx, [key.id], null)).get(key.id) as KeyCharges;
  // The first period has none before it whose statement could be changed; it may be still to come.
  const since = meter.periodStartsAt > key.startsAt ? meter.periodStartsAt : key.createdAt;
  const [last] = await tx.sql<{ at: Date }>('last_change_of_charges', lastText, [
    key.businessId,
    key.mode,
    key.id,
    tx.ctx.now,
    since,
  ]);
  return { key, ...charges, at: last?.at ?? tx.ctx.now };
}
