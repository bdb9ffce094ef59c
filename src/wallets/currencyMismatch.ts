import { refusal, type Refusal } from '../kernel/refusal.js';

/** The refusal of an amount in another currency than the wallet's. */
export function currencyMismatch(expected: string): Refusal {
  const message = `The wallet is in ${expected}. Use that currency, or a wallet in the other one.`;
  return refusal('CurrencyMismatch', ['input', 'currencyCode'], message, { expected });
}
