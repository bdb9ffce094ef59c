import type { ProductKeyStatement } from '../generated/prisma/client.js';
import { moneyOf, type Money } from '../kernel/money.js';
import type { Part } from '../pricing/charge.js';
import type { DiscountData, LineData } from '../pricing/priceUsage.js';

/** Figures as a statement keeps them; those of quotes are alike. */
export type Figures = Pick<
  ProductKeyStatement,
  'consumed' | 'quota' | 'currency' | 'lines' | 'discounts' | 'subtotalMinor' | 'discountMinor' | 'totalMinor'
>;

/** A line with the currency of its statement. */
export type LineFigure = LineData & { readonly currency: string };
/** A part of a line with the same. */
export type PartFigure = Part & { readonly currency: string };
/** A discount with the same. */
export type DiscountFigure = DiscountData & { readonly currency: string };

/** An amount of a statement; null: it has no currency, as nothing charges it. */
function amount(minor: string, currency: string | null): Money | null {
  return currency === null ? null : moneyOf(BigInt(minor), currency);
}

const withCurrency = <Data extends object>(data: unknown, currency: string | null) =>
  (data as Data[]).map((one) => ({ ...one, currency: currency ?? '' }));

/** The fields that statements and quotes have alike. */
export const figureFields = {
  usage: ({ consumed }: Figures) => consumed,
  overage: ({ consumed, quota }: Figures) => (quota !== null && consumed > quota ? consumed - quota : 0n),
  currencyCode: ({ currency }: Figures) => currency,
  lines: ({ lines, currency }: Figures): LineFigure[] => withCurrency<LineData>(lines, currency),
  subtotal: ({ subtotalMinor, currency }: Figures) => amount(subtotalMinor, currency),
  discounts: ({ discounts, currency }: Figures): DiscountFigure[] => withCurrency<DiscountData>(discounts, currency),
  discountTotal: ({ discountMinor, currency }: Figures) => amount(discountMinor, currency),
  total: ({ totalMinor, currency }: Figures) => amount(totalMinor, currency),
};
