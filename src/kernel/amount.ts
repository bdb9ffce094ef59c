import { isCurrency, minorUnitsOf } from './money.js';
import { userError, type UserErrorData } from './refusal.js';

/** The largest amount in major units (JFramework's `amount`). */
export const MAX_AMOUNT = '2147483647';
const SCALE = 30;

type Path = readonly (string | number)[];
const INPUT: Path = ['input'];

/** Adds a problem when the input's `currencyCode` is no currency of ISO 4217. */
export function checkCurrency(problems: UserErrorData[], currencyCode: string, at: Path = INPUT): void {
  if (isCurrency(currencyCode)) return;
  const message = 'Give a currency of ISO 4217: three upper-case letters, such as EUR.';
  problems.push(userError('InvalidCurrency', [...at, 'currencyCode'], message));
}

/**
 * Adds problems when the input's `amount` is out of range or finer than its currency, or `currencyCode` is no currency.
 * @param amount a plain decimal in major units
 * @param zero whether 0 is an amount
 * @param at where the two fields stand, when not in the input itself
 * @returns minor units; 0 when there was a problem
 */
export function checkAmount(
  problems: UserErrorData[],
  { amount, currencyCode }: { amount: string; currencyCode: string },
  zero: 'OR_ZERO' | 'ABOVE_ZERO',
  at: Path = INPUT,
): bigint {
  const refuse = (message: string) => problems.push(userError('InvalidAmount', [...at, 'amount'], message));
  const scaled = scaledOf(amount);
  const isInRange = scaled >= 0n && scaled <= scaledOf(MAX_AMOUNT) && (scaled > 0n || zero === 'OR_ZERO');
  if (!isInRange) {
    const range = zero === 'OR_ZERO' ? `from 0 to ${MAX_AMOUNT}` : `above 0, to ${MAX_AMOUNT}`;
    refuse(`Give an amount ${range}; it is ${amount}.`);
  }
  checkCurrency(problems, currencyCode, at);
  if (!isInRange || !isCurrency(currencyCode)) return 0n;
  const units = minorUnitsOf(amount, currencyCode);
  if (units === null) refuse(`${amount} has more decimals than ${currencyCode} has. Give an amount that can be paid.`);
  return units ?? 0n;
}

/** A decimal of up to 30 decimals as a whole number, to compare without rounding. */
function scaledOf(decimal: string): bigint {
  const [whole, fraction = ''] = decimal.replace('-', '').split('.');
  const units = BigInt((whole as string) + fraction.padEnd(SCALE, '0'));
  return decimal.startsWith('-') ? -units : units;
}
