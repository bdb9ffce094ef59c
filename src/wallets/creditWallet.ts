import type { CreditWalletInput } from '../generated/graphql.js';
import { refuseOtherBrands } from '../kernel/brand.js';
import { newId, uuidOf } from '../kernel/id.js';
import { refuseIfAny, type UserErrorData } from '../kernel/refusal.js';
import type { RequestContext } from '../kernel/requestContext.js';
import { checkLength, presentText } from '../kernel/text.js';
import { inSqlTransaction } from '../kernel/transaction.js';
import { checkAmount } from '../kernel/amount.js';
import { currencyMismatch } from './currencyMismatch.js';
import { findWallet } from './findWallet.js';
import { payIntoWallet } from './payIntoWallet.js';

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
    const moved = await payIntoWallet(tx, 'IN', { walletId, currency, amount, transactionId: newId(), ...why }, [
      'input',
      'amount',
    ]);
    return { walletId, ledgerEntryId: moved.ledgerEntryId };
  });
}
