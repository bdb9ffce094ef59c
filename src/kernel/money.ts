import codes from 'currency-codes';

/**
 * Exponents by ISO 4217: how many decimals a currency has. The list in the package is older than two amendments, which are
 * made here: XCG took the place of ANG in 2025, and BGN ended with 2025. Codes without a minor unit (metals, test codes,
 * settlement units) are no money to sell for.
 */
const exponents: ReadonlyMap<string, number> = (() => {
  const notMoney = new Set(['ANG', 'BGN', 'CHE', 'CHW', 'CLF', 'COU', 'MXV', 'USN', 'UYI', 'UYW', 'BOV', 'XDR']);
  const table = new Map<string, number>([['XCG', 2]]);
  for (const { code, digits } of codes.data) {
    if (!notMoney.has(code) && !/^X(A[UG]|PT|PD|TS|XX|SU|UA|B[ABCD])$/.test(code)) table.set(code, digits);
  }
  return table;
})();

/** An amount as the API shows it. */
export interface Money {
  /** In the major unit with all the currency's decimals, such as `19.90`. */
  amount: string;
  currencyCode: string;
  /** In the smallest unit. */
  minorUnits: bigint;
}

/** Whether the code is a currency of ISO 4217, strictly: three upper-case letters. */
export function isCurrency(code: string): boolean {
  return exponents.has(code);
}

/** How many decimals a currency of ISO 4217 has; 0 for codes that are none. */
export function exponentOf(currency: string): number {
  return exponents.get(currency) ?? 0;
}

/**
 * A decimal amount in minor units.
 * @param amount a canonical decimal, such as `-10.5`
 * @param currency an ISO 4217 code
 * @returns null when the amount has more decimals than the currency, or is no decimal
 */
export function minorUnitsOf(amount: string, currency: string): bigint | null {
  const exponent = exponents.get(currency);
  const match = /^(-?)(\d+)(?:\.(\d+?)0*)?$/.exec(amount);
  if (exponent === undefined || !match) return null;
  const decimals = match[3] === undefined || match[3] === '0' ? '' : match[3];
  if (decimals.length > exponent) return null;
  const units = BigInt((match[2] as string) + decimals.padEnd(exponent, '0'));
  return match[1] ? -units : units;
}

/** Minor units as the API shows them. */
export function moneyOf(minorUnits: bigint, currency: string): Money {
  const exponent = exponentOf(currency);
  const digits = (minorUnits < 0n ? -minorUnits : minorUnits).toString().padStart(exponent + 1, '0');
  const split = digits.length - exponent;
  const amount = exponent === 0 ? digits : `${digits.slice(0, split)}.${digits.slice(split)}`;
  return { amount: minorUnits < 0n ? `-${amount}` : amount, currencyCode: currency, minorUnits };
}

/** An amount with its currency, for sentences: `19.90 USD`. */
export function moneyText(minorUnits: bigint, currency: string): string {
  return `${moneyOf(minorUnits, currency).amount} ${currency}`;
}
