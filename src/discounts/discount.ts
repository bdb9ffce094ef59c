import type { DiscountStatus } from '../generated/graphql.js';
import type { Discount } from '../generated/prisma/client.js';
import { moneyOf, type Money } from '../kernel/money.js';

/** Where a discount stands at an instant; `discountStatus` in SQL says the same. */
export function statusOf(discount: Discount, now: Date): DiscountStatus {
  const { archivedAt, expiresAt, startsAt, usageLimit, usedCount } = discount;
  if (archivedAt !== null) return 'ARCHIVED';
  if (expiresAt !== null && expiresAt <= now) return 'EXPIRED';
  if (usageLimit !== null && usedCount >= usageLimit) return 'USED_UP';
  return startsAt !== null && startsAt > now ? 'SCHEDULED' : 'ACTIVE';
}

/** The same of the discounts `t`. @param now placeholder of the instant */
export function discountStatus(now: string): string {
  return `CASE WHEN t.archived_at IS NOT NULL THEN 'ARCHIVED' WHEN t.expires_at <= ${now} THEN 'EXPIRED'
    WHEN t.used_count >= t.usage_limit THEN 'USED_UP' WHEN t.starts_at > ${now} THEN 'SCHEDULED' ELSE 'ACTIVE' END`;
}

/** Minor units by currency, as the columns keep them. */
export type MinorByCurrency = Record<string, string>;

/** What such a column has for a currency; null: nothing. */
export function minorIn(column: unknown, currency: string): bigint | null {
  const minor = (column as MinorByCurrency)[currency];
  return minor === undefined ? null : BigInt(minor);
}

/** Such a column as the API shows it, by currency. */
export function moneysOf(column: unknown): Money[] {
  return Object.entries(column as MinorByCurrency)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([currency, minor]) => moneyOf(BigInt(minor), currency));
}
