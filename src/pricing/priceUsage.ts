import { wantedOff } from '../discounts/applyDiscounts.js';
import { minorIn } from '../discounts/discount.js';
import type { PricedUnits, PricingModel, PricingRuleVersion, ProductKeyDiscount } from '../generated/prisma/client.js';
import { chargeOf, type Charge, type CountedTime, type UsedUnits } from './charge.js';

/** A version of a rule that charges a period. */
export type ChargingRule = PricingRuleVersion;

/** A discount that lowers what a period costs, by what it said when it was redeemed. */
export type LoweringDiscount = Pick<
  ProductKeyDiscount,
  'id' | 'discountId' | 'percentBasisPoints' | 'amountsMinor' | 'minimumSpendsMinor' | 'stackingOrder'
>;

/** What a rule charges, as statements keep it. */
export interface LineData extends Charge {
  readonly pricingRuleId: string;
  readonly version: number;
  readonly name: string;
  readonly model: PricingModel;
  readonly appliesTo: PricedUnits;
}

/** What a discount takes off, as statements keep it. */
export interface DiscountData {
  /** The redemption's. */
  readonly id: string;
  readonly amountMinor: string;
  readonly remainingMinor: string;
}

/** What a period costs, in minor units. */
export interface PricedUsage {
  /** Null: no rule charges it. */
  readonly currency: string | null;
  readonly lines: readonly LineData[];
  readonly discounts: readonly DiscountData[];
  readonly subtotalMinor: bigint;
  readonly discountMinor: bigint;
  readonly totalMinor: bigint;
}

/**
 * What usage costs: a line for each rule, all of one currency, and what discounts take off their sum, one after the other, the
 * smallest `stackingOrder` first, of equal ones the older discount. The parts are exactly the whole.
 */
export function priceUsage(
  used: UsedUnits,
  time: CountedTime,
  rules: readonly ChargingRule[],
  lowering: readonly LoweringDiscount[],
): PricedUsage {
  const lines = rules.map((rule) => lineOf(rule, used, time));
  const currency = rules[0]?.currency ?? null;
  const subtotalMinor = lines.reduce((sum, { amountMinor }) => sum + BigInt(amountMinor), 0n);
  const discounts = currency === null ? [] : takeOff(subtotalMinor, currency, lowering);
  const discountMinor = discounts.reduce((sum, { amountMinor }) => sum + BigInt(amountMinor), 0n);
  return { currency, lines, discounts, subtotalMinor, discountMinor, totalMinor: subtotalMinor - discountMinor };
}

function lineOf(rule: ChargingRule, used: UsedUnits, time: CountedTime): LineData {
  const { pricingRuleId, version, name, model, appliesTo } = rule;
  return { pricingRuleId, version, name, model, appliesTo, ...chargeOf(rule, used, time) };
}

/** Those that take off nothing are left out. */
function takeOff(subtotal: bigint, currency: string, lowering: readonly LoweringDiscount[]): DiscountData[] {
  let left = subtotal;
  return [...lowering].sort(stackingOrder).flatMap((discount) => {
    const amount = isReached(discount, currency, subtotal) ? wantedOff(discount, currency, left) : 0n;
    if (amount === 0n) return [];
    left -= amount;
    return [{ id: discount.id, amountMinor: amount.toString(), remainingMinor: left.toString() }];
  });
}

/** In which order discounts take off: the smallest `stackingOrder` first, of equal ones the older discount. */
export function stackingOrder(a: LoweringDiscount, b: LoweringDiscount): number {
  return a.stackingOrder - b.stackingOrder || (a.discountId < b.discountId ? -1 : 1);
}

/** Whether as much is charged as the discount asks for; where it names minimums, other currencies are not covered. */
function isReached({ minimumSpendsMinor }: LoweringDiscount, currency: string, subtotal: bigint): boolean {
  if (Object.keys(minimumSpendsMinor as object).length === 0) return true;
  const minimum = minorIn(minimumSpendsMinor, currency);
  return minimum !== null && subtotal >= minimum;
}
