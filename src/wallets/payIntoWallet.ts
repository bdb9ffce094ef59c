import { moneyText } from '../kernel/money.js';
import { refusal } from '../kernel/refusal.js';
import type { SqlTx } from '../kernel/transaction.js';
import { MAX_BALANCE, moveMoney, type Moved, type Movement } from './moveMoney.js';

/**
 * A step: puts money into a wallet. Call it last, as `moveMoney` says.
 * @param direction IN: money that came from outside; BACK: what the business had earned before
 * @param path what asks for it in the input
 * @throws Refusal BalanceLimitExceeded
 */
export async function payIntoWallet(
  tx: SqlTx,
  direction: 'IN' | 'BACK',
  movement: Movement,
  path: readonly string[],
): Promise<Moved> {
  const moved = await moveMoney(tx, direction, movement);
  if (!moved) {
    const limit = moneyText(MAX_BALANCE, movement.currency);
    throw refusal('BalanceLimitExceeded', path, `A wallet holds at most ${limit}. Credit less.`);
  }
  return moved;
}
