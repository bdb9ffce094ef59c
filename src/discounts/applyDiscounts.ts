import type { DiscountRefusalReason } from '../generated/graphql.js';
import type { Discount } from '../generated/prisma/client.js';
import { refuseIfAny, type UserErrorData } from '../kernel/refusal.js';
import { minorIn } from './discount.js';
import { discountNotApplicable } from './refusalReason.js';
import { share } from './share.js';

/** What is sold, to whom and when: all that discounts depend on. */
export interface Sale {
  readonly now: Date;
  /** Who buys. */
  readonly customerId: string;
  readonly currency: string;
  readonly lines: readonly SaleLine[];
}

/** A number of licenses of one package or offering. */
export interface SaleLine {
  /** The offering's product, or the package's primary one. */
  readonly productId: string;
  readonly packageId: string | null;
  /** The offering and the revisions before it; none for a package. */
  readonly productOfferingIds: readonly string[];
  readonly quantity: number;
  /** What one costs, undiscounted, in minor units. */
  readonly unitAmountMinor: bigint;
}

/** A code with its discount, as they were read. */
export interface FoundDiscount {
  readonly discount: Discount;
  readonly codeId: string;
  readonly codeUsageLimit: number | null;
  readonly codeUsedCount: number;
  /** How often who buys has redeemed the discount; meaningful where that is limited. */
  readonly customerUses: number;
}

/** A code of the input, with what it stands for; null: nothing. */
export interface AskedDiscount {
  readonly code: string;
  readonly path: readonly string[];
  readonly found: FoundDiscount | null;
}

/** What one discount takes off, in minor units. */
export interface TakenOff extends FoundDiscount {
  readonly code: string;
  readonly path: readonly string[];
  readonly amountMinor: bigint;
  /** What is to pay after it and those before it. */
  readonly remainingMinor: bigint;
}

/** What a sale costs, in minor units. */
export interface PricedSale {
  readonly undiscountedMinor: bigint;
  readonly totalMinor: bigint;
  /** In the order in which they take off. */
  readonly takenOff: readonly TakenOff[];
  /** What is taken off each license, line by line; together it is exactly what the discounts take off. */
  readonly unitDiscounts: readonly (readonly bigint[])[];
}

/** A license of the sale, and what it still costs. */
interface Unit {
  readonly line: SaleLine;
  remaining: bigint;
}

/**
 * The one rule of discounts: previews, purchases and orders are all priced by it. Discounts take off one after the other, the
 * smallest `stackingOrder` first, of equal ones the older; each from what is left of what it applies to. A percentage is rounded
 * down once, for the whole; an amount is at most what is left. What is taken off is shared out among the licenses exactly.
 * @throws Refusal DiscountNotApplicable for each code that cannot be used, with the first reason
 */
export function applyDiscounts(sale: Sale, asked: readonly AskedDiscount[]): PricedSale {
  const problems: UserErrorData[] = [];
  const usable = asked.flatMap((one, index) => {
    const reason = reasonAgainst(sale, asked, index);
    if (reason !== null) problems.push(discountNotApplicable(one.path, reason));
    return reason === null && one.found ? [{ ...one, ...one.found }] : [];
  });
  const units = sale.lines.flatMap((line) =>
    Array.from({ length: line.quantity }, (): Unit => ({ line, remaining: line.unitAmountMinor })),
  );
  const undiscountedMinor = sumOf(units);
  const takenOff = usable.sort(stackingOrder).map(({ code, path, discount, ...found }): TakenOff => {
    const amountMinor = takeOff(discount, sale.currency, units);
    // Where another code is refused anyway, nothing is said about what would have been left for this one.
    if (amountMinor === 0n && usable.length === asked.length) problems.push(discountNotApplicable(path, 'NO_EFFECT'));
    return { code, path, discount, ...found, amountMinor, remainingMinor: sumOf(units) };
  });
  refuseIfAny(problems);
  const unitDiscounts = sale.lines.map((line) =>
    units.filter((unit) => unit.line === line).map(({ remaining }) => line.unitAmountMinor - remaining),
  );
  return { undiscountedMinor, totalMinor: sumOf(units), takenOff, unitDiscounts };
}

function stackingOrder({ discount: a }: FoundDiscount, { discount: b }: FoundDiscount): number {
  return a.stackingOrder - b.stackingOrder || (a.id < b.id ? -1 : 1);
}

/** What of a discount that is redeemed already decides about others. */
type Taken = Pick<Discount, 'id' | 'isCombinable'>;

/**
 * The same for what is not sold at once but charged again and again: the first reason why a code cannot be redeemed for it. What
 * has to be spent at least is judged with each charge.
 * @param taken what is redeemed for it already
 */
export function reasonAgainstRecurring(
  sale: Sale,
  taken: readonly Taken[],
  found: FoundDiscount | null,
): DiscountRefusalReason | null {
  return reasonAgainst(sale, [{ code: '', path: [], found }], 0, taken);
}

/** Takes a discount off the units; gives how much that is. */
function takeOff(discount: Discount, currency: string, all: readonly Unit[]): bigint {
  const units = all.filter(({ line }) => appliesTo(discount, line));
  const left = sumOf(units);
  const amount = wantedOff(discount, currency, left);
  const parts = share(
    amount,
    units.map(({ remaining }) => remaining),
  );
  units.forEach((unit, i) => (unit.remaining -= parts[i] as bigint));
  return amount;
}

/** What a discount takes off what is left, in minor units: a percentage rounded down, or an amount that is at most that. */
export function wantedOff(
  { percentBasisPoints, amountsMinor }: Pick<Discount, 'percentBasisPoints' | 'amountsMinor'>,
  currency: string,
  left: bigint,
): bigint {
  if (percentBasisPoints !== null) return (left * BigInt(percentBasisPoints)) / 10_000n;
  const amount = minorIn(amountsMinor, currency) ?? 0n;
  return amount < left ? amount : left;
}

function sumOf(units: readonly Unit[]): bigint {
  return units.reduce((sum, { remaining }) => sum + remaining, 0n);
}

/** Whether a discount is for a line; one that is limited to nothing is for all. */
function appliesTo({ productIds, packageIds, productOfferingIds }: Discount, line: SaleLine): boolean {
  if (productIds.length + packageIds.length + productOfferingIds.length === 0) return true;
  return (
    productIds.includes(line.productId) ||
    (line.packageId !== null && packageIds.includes(line.packageId)) ||
    line.productOfferingIds.some((id) => productOfferingIds.includes(id))
  );
}

/**
 * The first reason why a code cannot be used, whatever the others take off; null: there is none.
 * @param taken what is redeemed already for what is charged again and again; null: it is sold at once
 */
function reasonAgainst(
  sale: Sale,
  asked: readonly AskedDiscount[],
  index: number,
  taken: readonly Taken[] | null = null,
): DiscountRefusalReason | null {
  const found = asked[index]?.found;
  if (!found) return 'UNKNOWN_CODE';
  const { discount, codeUsageLimit, codeUsedCount } = found;
  const { archivedAt, startsAt, expiresAt, usageLimit, usedCount } = discount;
  const others = taken ?? asked.slice(0, index).flatMap((other) => (other.found ? [other.found.discount] : []));
  if (others.some(({ id }) => id === discount.id)) return 'GIVEN_TWICE';
  if (archivedAt !== null) return 'ARCHIVED';
  if (startsAt !== null && startsAt > sale.now) return 'NOT_STARTED';
  if (expiresAt !== null && expiresAt <= sale.now) return 'EXPIRED';
  if (usageLimit !== null && usedCount >= usageLimit) return 'USED_UP';
  if (codeUsageLimit !== null && codeUsedCount >= codeUsageLimit) return 'CODE_USED_UP';
  const isAlone = asked.length === 1 && others.length === 0;
  const isKeptAlone = !discount.isCombinable || taken?.some(({ isCombinable }) => !isCombinable);
  if (!isAlone && isKeptAlone) return 'NOT_COMBINABLE';
  return reasonOfCustomer(sale, found) ?? reasonOfLines(sale, discount, taken === null ? 'NOW' : 'LATER');
}

function reasonOfCustomer(
  { customerId }: Sale,
  { discount, customerUses }: FoundDiscount,
): DiscountRefusalReason | null {
  const { customerIds, usageLimitPerCustomer } = discount;
  if (customerIds.length > 0 && !customerIds.includes(customerId)) return 'CUSTOMER_NOT_ELIGIBLE';
  if (usageLimitPerCustomer !== null && customerUses >= usageLimitPerCustomer) return 'CUSTOMER_LIMIT_REACHED';
  return null;
}

function reasonOfLines(
  { lines, currency }: Sale,
  discount: Discount,
  judged: 'NOW' | 'LATER',
): DiscountRefusalReason | null {
  const meant = lines.filter((line) => appliesTo(discount, line));
  if (meant.length === 0) return 'NOT_FOR_THIS';
  const minimum = minorIn(discount.minimumSpendsMinor, currency);
  const isLimited = Object.keys(discount.minimumSpendsMinor as object).length > 0;
  const hasAmount = discount.percentBasisPoints !== null || minorIn(discount.amountsMinor, currency) !== null;
  if (!hasAmount || (isLimited && minimum === null)) return 'CURRENCY_NOT_COVERED';
  if (judged === 'LATER') return null;
  const spent = meant.reduce((sum, { quantity, unitAmountMinor }) => sum + BigInt(quantity) * unitAmountMinor, 0n);
  return minimum !== null && spent < minimum ? 'MINIMUM_SPEND_NOT_MET' : null;
}
