const DECIMALS = 6;

/**
 * A decimal that is not negative as a whole number of millionths, to compare without rounding.
 * @param decimals how many it may have at most, up to six
 * @returns null when it is no such decimal
 */
export function millionthsOf(decimal: string, decimals: number): bigint | null {
  const [, whole, fraction = ''] = /^(\d{1,10})(?:\.(\d+))?$/.exec(decimal) ?? [];
  if (whole === undefined || fraction.length > decimals) return null;
  return BigInt(whole + fraction.padEnd(DECIMALS, '0'));
}

/** Millionths as a decimal without needless zeros, such as `99.95`. */
export function decimalOf(millionths: bigint): string {
  const digits = millionths.toString().padStart(DECIMALS + 1, '0');
  const fraction = digits.slice(-DECIMALS).replace(/0+$/, '');
  const whole = digits.slice(0, -DECIMALS);
  return fraction === '' ? whole : `${whole}.${fraction}`;
}
