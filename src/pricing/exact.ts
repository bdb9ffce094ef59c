import { exponentOf } from '../kernel/money.js';

/** Prices have up to 12 decimals of the major unit; amounts are counted in the last one of them. */
export const DECIMALS = 12;

/** A plain decimal of up to 12 decimals as a whole number of its twelfth one; null: it is none, or has more. */
export function exactOf(decimal: string): bigint | null {
  const match = /^(\d+)(?:\.(\d{1,12}))?$/.exec(decimal);
  return match && BigInt((match[1] as string) + (match[2] ?? '').padEnd(DECIMALS, '0'));
}

/** Minor units of a currency in that measure. */
export function exactOfMinor(minor: bigint, currency: string): bigint {
  return minor * unitOf(currency);
}

/** The same as a decimal of the major unit, without superfluous zeros. @param exact 0 or more */
export function decimalOf(exact: bigint): string {
  const digits = exact.toString().padStart(DECIMALS + 1, '0');
  const fraction = digits.slice(-DECIMALS).replace(/0+$/, '');
  return `${digits.slice(0, -DECIMALS)}${fraction && `.${fraction}`}`;
}

/** Rounded half up to minor units of a currency. @param exact 0 or more */
export function roundedToMinor(exact: bigint, currency: string): bigint {
  const unit = unitOf(currency);
  return (2n * exact + unit) / (2n * unit);
}

/** A minor unit in the twelfth decimal; no currency of ISO 4217 has more than four. */
function unitOf(currency: string): bigint {
  return 10n ** BigInt(DECIMALS - exponentOf(currency));
}
