import { moneyOf, moneyText } from '../kernel/money.js';
import { refusal, type Refusal } from '../kernel/refusal.js';
import { tenantOf } from '../kernel/requestContext.js';
import type { SqlTx } from '../kernel/transaction.js';
import { moveMoney, type Moved, type Movement } from './moveMoney.js';

/**
 * A step: takes money out of a wallet, in one guarded statement. Call it last, so that the wallet's row is locked for as short
 * as can be.
 * @param path where the input names the wallet
 * @throws Refusal InsufficientFunds
 */
export async function debitWallet(tx: SqlTx, movement: Movement, path: readonly string[]): Promise<Moved> {
  return (await moveMoney(tx, 'OUT', movement)) ?? debitLockedWallet(tx, movement, path);
}

/** The wallet did not hold enough when it was tried. Under a lock, what it holds now is what the refusal says. */
async function debitLockedWallet(tx: SqlTx, movement: Movement, path: readonly string[]): Promise<Moved> {
  const { businessId, mode } = tenantOf(tx.ctx);
  const { walletId, amount, currency } = movement;
  const [wallet] = await tx.sql<{ balance: bigint }>(
    'lock_balance',
    `SELECT balance_minor AS balance FROM wallets WHERE business_id = $1 AND mode = $2 AND id = $3 FOR NO KEY UPDATE`,
    [businessId, mode, walletId],
  );
  if (wallet && wallet.balance < amount) throw insufficientFunds(amount, wallet.balance, currency, path);
  // Somebody put money in between the two statements.
  const moved = await moveMoney(tx, 'OUT', movement);
  if (!moved) throw new Error(`wallet ${walletId} holds enough and is locked, and yet was not debited`);
  return moved;
}

/** The refusal of a debit that the wallet cannot bear; amounts in minor units. */
export function insufficientFunds(
  required: bigint,
  available: bigint,
  currency: string,
  path: readonly string[],
): Refusal {
  const message = `It takes ${moneyText(required, currency)}; the wallet holds ${moneyText(available, currency)}. Credit the wallet first.`;
  return refusal('InsufficientFunds', path, message, {
    required: moneyOf(required, currency),
    available: moneyOf(available, currency),
  });
}
