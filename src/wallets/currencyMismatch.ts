import { refusal, type Refusal } from '../kernel/refusal.js';

/** The refusal of an amount in another currency than the wallet's; `path`: where the input says which currency it is. */
export function currencyMismatch(expected: string, path: readonly string[] = ['input', 'currencyCode']): Refusal {
  const message = `The wallet is in ${expected}. Use that currency, or a wallet in the other one.`;
  return refusal('CurrencyMismatch', path, message, { expected });
}
