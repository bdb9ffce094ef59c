import type { UserErrorData } from '../kernel/refusal.js';

const CONFLICTS = new Set(['BrandMismatch', 'CurrencyMismatch', 'LicenseKeyTaken', 'ModeMismatch', 'PriceMismatch']);

/** What HTTP would call the outcome of a purchase, as JFramework's answer says it: 200, or the first refusal's code. */
export function statusCodeOf([first]: readonly UserErrorData[]): number {
  if (!first) return 200;
  if (first.__typename.endsWith('NotFound')) return 404;
  if (first.__typename.endsWith('Archived')) return 409;
  if (first.__typename === 'InsufficientFunds') return 402;
  return CONFLICTS.has(first.__typename) ? 409 : 400;
}
