import { recordChange } from '../events/recordChange.js';
import type { CreditWalletInput } from '../generated/graphql.js';
import type { Wallet } from '../generated/prisma/client.js';
import { refuseOtherBrands } from '../kernel/brand.js';
import { newId, uuidOf } from '../kernel/id.js';
import { missing } from '../kernel/missing.js';
import { moneyText } from '../kernel/money.js';
import { refusal, refuseIfAny, type UserErrorData } from '../kernel/refusal.js';
import { tenantOf, type RequestContext } from '../kernel/requestContext.js';
import { columnsOf } from '../kernel/rows.js';
import { checkLength, presentText } from '../kernel/text.js';
import { inSqlTransaction, type SqlTx } from '../kernel/transaction.js';
import { checkAmount } from '../kernel/amount.js';
import { currencyMismatch } from './currencyMismatch.js';
import { MAX_BALANCE, moveMoney, type Moved, type Movement } from './moveMoney.js';

/**
 * Puts money into a wallet, from the business's FUNDING account.
 * @throws Refusal InvalidAmount, InvalidCurrency, InvalidInput, WalletNotFound, ModeMismatch, BrandMismatch, CurrencyMismatch,
 *   BalanceLimitExceeded
 */
export async function creditWallet(
  ctx: RequestContext,
  input: CreditWalletInput,
): Promise<{ walletId: string; ledgerEntryId: string }> {
  const [reason, reference] = [presentText(input.reason), presentText(input.reference)];
  const problems: UserErrorData[] = [];
  const amount = checkAmount(problems, input, 'ABOVE_ZERO');
  checkLength(problems, ['input', 'reason'], reason, 1, 2000);
  checkLength(problems, ['input', 'reference'], reference, 1, 255);
  refuseIfAny(problems);
  return inSqlTransaction(ctx, async (tx) => {
    const wallet = await findWallet(tx, uuidOf('Wallet', input.walletId));
    refuseOtherBrands(ctx, { brandId: wallet.brandId, path: ['input', 'walletId'] });
    if (wallet.currency !== input.currencyCode) throw currencyMismatch(wallet.currency);
    const { id: walletId, currency } = wallet;
    const why = { kind: 'CREDIT', reason, reference, orderId: null } as const;
    const moved = await credit(tx, { walletId, currency, amount, transactionId: newId(), ...why });
    return { walletId, ledgerEntryId: moved.ledgerEntryId };
  });
}

async function findWallet(tx: SqlTx, id: string): Promise<Wallet> {
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

async function credit(tx: SqlTx, movement: Movement): Promise<Moved> {
  const moved = await moveMoney(tx, 'IN', movement);
  if (!moved) {
    const limit = moneyText(MAX_BALANCE, movement.currency);
    throw refusal('BalanceLimitExceeded', ['input', 'amount'], `A wallet holds at most ${limit}. Credit less.`);
  }
  const { wallet, ledgerEntryId } = moved;
  recordChange(tx, {
    type: 'wallet.credited',
    objectType: 'Wallet',
    objectId: wallet.id,
    sequence: wallet.version,
    before: { balanceMinor: wallet.balanceMinor - movement.amount },
    after: { balanceMinor: wallet.balanceMinor },
    snapshot: { ...wallet, ledgerEntryId },
    reason: movement.reason,
  });
  return moved;
}
