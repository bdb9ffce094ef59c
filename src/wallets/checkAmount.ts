import { isCurrency, minorUnitsOf } from '../kernel/money.js';
import { userError, type UserErrorData } from '../kernel/refusal.js';

/** The largest amount in major units (JFramework's `amount`). */
export const MAX_AMOUNT = '2147483647';
const SCALE = 30;

/**
 * Adds a problem when an amount is out of range or has more decimals than its currency.
 * @param amount a plain decimal in major units
 * @param currency decides the decimals; those of an unknown one are not checked, as the currency is the problem then
 * @param zero whether 0 is an amount
 * @returns minor units; 0 when there was a problem
 */
export function checkAmount(
  problems: UserErrorData[],
  path: readonly string[],
  amount: string,
  currency: string,
  zero: 'OR_ZERO' | 'ABOVE_ZERO',
): bigint {
  const scaled = scaledOf(amount);
  if (scaled < 0n || (scaled === 0n && zero === 'ABOVE_ZERO') || scaled > scaledOf(MAX_AMOUNT)) {
    const range = zero === 'OR_ZERO' ? `from 0 to ${MAX_AMOUNT}` : `above 0, to ${MAX_AMOUNT}`;
    problems.push(userError('InvalidAmount', path, `Give an amount ${range}; it is ${amount}.`));
    return 0n;
  }
  if (!isCurrency(currency)) return 0n;
  const units = minorUnitsOf(amount, currency);
  if (units !== null) return units;
  const message = `${amount} has more decimals than ${currency} has. Give an amount that can be paid.`;
  problems.push(userError('InvalidAmount', path, message));
  return 0n;
}

/** A decimal of up to 30 decimals as a whole number, to compare without rounding. */
function scaledOf(decimal: string): bigint {
  const [whole, fraction = ''] = decimal.replace('-', '').split('.');
  const units = BigInt((whole as string) + fraction.padEnd(SCALE, '0'));
  return decimal.startsWith('-') ? -units : units;
}
