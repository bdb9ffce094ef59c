import { currencyOrDefault } from '../accounts/defaults.js';
import { checkAmount } from '../kernel/amount.js';
import { refuseIfAny, type UserErrorData } from '../kernel/refusal.js';
import type { SqlTx } from '../kernel/transaction.js';

interface PriceInput {
  amount: string;
  currencyCode?: string | null;
}

/** Adds problems of a price that names its currency; no I/O. */
export function checkPrice(problems: UserErrorData[], { amount, currencyCode }: PriceInput): void {
  if (currencyCode != null) checkAmount(problems, { amount, currencyCode }, 'OR_ZERO');
}

/**
 * A step: a price in minor units of its currency, or of the business's default one when it names none.
 * @throws Refusal InvalidInput when there is neither currency, InvalidAmount, InvalidCurrency
 */
export async function priceFor(
  tx: SqlTx,
  { amount, currencyCode }: PriceInput,
): Promise<{ currency: string; amountMinor: bigint }> {
  const currency = await currencyOrDefault(tx, currencyCode);
  const problems: UserErrorData[] = [];
  const amountMinor = checkAmount(problems, { amount, currencyCode: currency }, 'OR_ZERO');
  refuseIfAny(problems);
  return { currency, amountMinor };
}
