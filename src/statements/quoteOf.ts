import type DataLoader from 'dataloader';
import type { PricingRuleVersion, ProductKey, ProductKeyMeter } from '../generated/prisma/client.js';
import type { UserErrorData } from '../kernel/refusal.js';
import { priceUsage, type PricedUsage } from '../pricing/priceUsage.js';
import type { KeyCharges } from '../pricing/readCharges.js';
import { meterAsOf } from '../productKeys/meter.js';
import { timeOf } from '../productKeys/periodsOver.js';
import type { Figures } from './figures.js';

/** What a period would cost. */
export interface Quote extends Figures {
  /** Null: it is of no product key. */
  readonly periodStartsAt: Date | null;
  readonly periodEndsAt: Date | null;
}

/** What the quote of a product key is made from. */
export interface QuoteLoaders {
  readonly meterByProductKey: DataLoader<string, ProductKeyMeter | null>;
  readonly chargesByProductKey: DataLoader<string, KeyCharges>;
}

/** A quote, or why there is none. */
export interface QuoteAnswer {
  readonly quote: Quote | null;
  readonly userErrors: readonly UserErrorData[];
}

/**
 * What the present period of a product key costs once so many units more are used in it: what its statement will say, unless
 * something else changes.
 */
export function quoteOf(
  key: ProductKey,
  stored: ProductKeyMeter,
  { rules, discounts }: Pick<KeyCharges, 'discounts'> & { readonly rules: readonly PricingRuleVersion[] },
  units: bigint,
  now: Date,
): Quote {
  const meter = meterAsOf(stored, key.startsAt, now);
  const end = endOf(key, meter);
  const used = { consumed: meter.consumed + units, quota: meter.quota };
  const priced = priceUsage(used, timeOf(key, meter, end), rules, discounts);
  return { periodStartsAt: meter.periodStartsAt, periodEndsAt: end, ...used, ...asFigures(priced) };
}

/** What the present period of a product key that has not ended costs if nothing more is used in it. */
export async function currentQuote(key: ProductKey, loaders: QuoteLoaders, now: Date): Promise<Quote> {
  const [meter, charges] = await Promise.all([
    loaders.meterByProductKey.load(key.id),
    loaders.chargesByProductKey.load(key.id),
  ]);
  if (!meter) throw new Error('a product key has no meter');
  return quoteOf(key, meter, charges, 0n, now);
}

/** What units cost by rules alone. */
export function quoteByRules(rules: readonly PricingRuleVersion[], units: bigint, quota: bigint | null): Quote {
  const used = { consumed: units, quota };
  const priced = priceUsage(used, { whole: 1n, uncounted: 0n }, rules, []);
  return { periodStartsAt: null, periodEndsAt: null, ...used, ...asFigures(priced) };
}

/** The period ends with the key, where that is to come within it. */
function endOf({ cancelAt, expiresAt }: ProductKey, { periodStartsAt, periodEndsAt }: ProductKeyMeter): Date | null {
  const ends = [periodEndsAt, cancelAt, expiresAt].flatMap((at) => (at !== null && at > periodStartsAt ? [at] : []));
  return ends.length > 0 ? new Date(Math.min(...ends.map((at) => at.getTime()))) : null;
}

function asFigures({ subtotalMinor, discountMinor, totalMinor, lines, discounts, currency }: PricedUsage) {
  return {
    currency,
    lines: lines as never,
    discounts: discounts as never,
    subtotalMinor: subtotalMinor.toString(),
    discountMinor: discountMinor.toString(),
    totalMinor: totalMinor.toString(),
  };
}
