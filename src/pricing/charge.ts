import { decimalOf, exactOf, exactOfMinor, roundedToMinor } from './exact.js';
import { tiersOf, type PricingTerms } from './terms.js';

/** What was used in a period. */
export interface UsedUnits {
  readonly consumed: bigint;
  /** Null: any number. */
  readonly quota: bigint | null;
}

/** How much of a period counts for what a period costs, in milliseconds. */
export interface CountedTime {
  readonly whole: bigint;
  /** From 0 to `whole`. */
  readonly uncounted: bigint;
}

/** Some units at one price, as statements keep it: numbers as strings. */
export interface Part {
  readonly upTo: string | null;
  readonly units: string;
  /** Of the major unit, as `exact`. */
  readonly unitPrice: string;
  readonly flatMinor: string;
  readonly exact: string;
}

/** What a rule charges for a period. */
export interface Charge {
  readonly units: string;
  readonly parts: readonly Part[];
  /** The sum of the parts, in the major unit. */
  readonly exact: string;
  readonly amountMinor: string;
}

interface Band {
  readonly upTo: string | null;
  readonly unitPrice: string;
  readonly flatMinor: bigint;
}

/**
 * The one rule of charges: statements and quotes are made by it. Exact in whole numbers, however large; rounded half up to minor
 * units once, for the whole. What a period costs was rounded by `countedAmount`.
 */
export function chargeOf(terms: PricingTerms, used: UsedUnits, time: CountedTime): Charge {
  const units = terms.model === 'FLAT' ? 0n : chargedUnits(terms, used);
  const parts = partsOf(terms, units, time).map(({ band, units: within }) => partOf(band, within, terms.currency));
  const exact = parts.reduce((sum, part) => sum + part.exact, 0n);
  return {
    units: units.toString(),
    parts: parts.map((part) => ({ ...part, exact: decimalOf(part.exact) })),
    exact: decimalOf(exact),
    amountMinor: roundedToMinor(exact, terms.currency).toString(),
  };
}

/** Which units a rule charges. */
function chargedUnits({ appliesTo }: PricingTerms, { consumed, quota }: UsedUnits): bigint {
  if (appliesTo === 'USAGE') return consumed;
  return quota !== null && consumed > quota ? consumed - quota : 0n;
}

function partsOf(terms: PricingTerms, units: bigint, time: CountedTime): { band: Band; units: bigint }[] {
  const { model, amountMinor, unitPrice } = terms;
  if (model === 'FLAT') {
    const flatMinor = countedAmount(amountMinor ?? 0n, time);
    return [{ band: { upTo: null, unitPrice: '0', flatMinor }, units: 0n }];
  }
  if (units === 0n) return [];
  if (model === 'PER_UNIT') return [{ band: { upTo: null, unitPrice: unitPrice ?? '0', flatMinor: 0n }, units }];
  const bands = tiersOf(terms).map(({ flatMinor, ...tier }) => ({ ...tier, flatMinor: BigInt(flatMinor) }));
  if (model === 'TIERED') return graduated(bands, units);
  return bands
    .filter(({ upTo }) => upTo === null || units <= BigInt(upTo))
    .flatMap((band) => [{ band, units }])
    .slice(0, 1);
}

/** Each tier that units fall into, with those units. */
function graduated(bands: readonly Band[], units: bigint): { band: Band; units: bigint }[] {
  let below = 0n;
  const reached = [];
  for (const band of bands) {
    if (units <= below) break;
    const end = band.upTo === null || BigInt(band.upTo) > units ? units : BigInt(band.upTo);
    reached.push({ band, units: end - below });
    below = end;
  }
  return reached;
}

function partOf({ upTo, unitPrice, flatMinor }: Band, units: bigint, currency: string) {
  const price = exactOf(unitPrice);
  if (price === null) throw new Error(`${unitPrice} is no price`);
  const exact = units * price + exactOfMinor(flatMinor, currency);
  return { upTo, units: units.toString(), unitPrice, flatMinor: flatMinor.toString(), exact };
}

/**
 * What of an amount for a whole period is charged: without the part for the time that does not count, which is rounded down to
 * minor units as `unusedCredit` does, so that both together are the amount.
 */
export function countedAmount(amountMinor: bigint, { whole, uncounted }: CountedTime): bigint {
  return amountMinor - (amountMinor * uncounted) / whole;
}
