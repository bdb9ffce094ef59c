import { minorUnitsOf } from '../kernel/money.js';
import { userError, type UserErrorData } from '../kernel/refusal.js';

/** The highest price of one license, in a currency's major unit, whatever its decimals. */
const MAX_PRICE = '2147483647';

/**
 * A price in minor units. Adds the problem InvalidAmount when the amount is negative, above 2147483647 or finer than its
 * currency; the price is 0 then, and not to be used.
 * @param amount a decimal in the currency's major unit
 * @param currency an ISO 4217 code
 */
export function priceOf(problems: UserErrorData[], path: readonly string[], amount: string, currency: string): bigint {
  const minor = minorUnitsOf(amount, currency);
  const highest = minorUnitsOf(MAX_PRICE, currency);
  if (minor !== null && highest !== null && minor >= 0n && minor <= highest) return minor;
  const wrong = minor === null ? `${amount} has more decimals than ${currency}.` : `${amount} is out of range.`;
  const message = `${wrong} Give 0 to ${MAX_PRICE} with no more decimals than the currency has.`;
  problems.push(userError('InvalidAmount', path, message));
  return 0n;
}
