import type { ProductKey } from '../generated/prisma/client.js';
import type { SqlTx } from '../kernel/transaction.js';
import { readCharges, type KeyCharges } from '../pricing/readCharges.js';
import { lockMeters } from '../productKeys/lockMeters.js';
import { lockProductKey, refuseEnded } from '../productKeys/lockProductKey.js';
import { ruleHistory } from './ruleHistory.js';

/** A locked product key, what charges it, and from when on a change of that counts. */
export interface LockedCharges extends KeyCharges {
  readonly key: ProductKey;
  /** Now; never before the present period, nor before the last change, whatever the clocks of other processes said. */
  readonly at: Date;
}

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
  const [history = []] = await ruleHistory(tx, key, [key.id]);
  const instants = [...history, ...charges.discounts].flatMap(({ attachedAt, detachedAt }) => [attachedAt, detachedAt]);
  // The first period has none before it whose statement could be changed; it may be still to come.
  if (meter.periodStartsAt > key.startsAt) instants.push(meter.periodStartsAt);
  const last = Math.max(tx.ctx.now.getTime(), ...instants.map((instant) => instant?.getTime() ?? 0));
  return { key, ...charges, at: new Date(last) };
}
