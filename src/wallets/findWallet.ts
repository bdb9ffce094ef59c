import type { Wallet } from '../generated/prisma/client.js';
import { missing } from '../kernel/missing.js';
import { tenantOf } from '../kernel/requestContext.js';
import { columnsOf } from '../kernel/rows.js';
import type { SqlTx } from '../kernel/transaction.js';

/**
 * A step: the wallet that `input.walletId` names.
 * @throws Refusal WalletNotFound (the same for foreign and unknown ids), ModeMismatch
 */
export async function findWallet(tx: SqlTx, id: string): Promise<Wallet> {
  const { businessId, mode } = tenantOf(tx.ctx);
  const [wallet] = await tx.sql<Wallet>(
    'find_wallet',
    `SELECT ${columnsOf('Wallet')} FROM wallets WHERE business_id = $1 AND mode = $2 AND id = $3`,
    [businessId, mode, id],
  );
  if (wallet) return wallet;
  throw await missing(
    tx,
    'Wallet',
    id,
    ['input', 'walletId'],
    'WalletNotFound',
    'There is no wallet with this id. Read `wallets`.',
  );
}
