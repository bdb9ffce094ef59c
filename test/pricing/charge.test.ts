import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { PricingModel } from '../../src/generated/prisma/client.js';
import { chargeOf, countedAmount, type Charge } from '../../src/pricing/charge.js';
import { countedTime } from '../../src/pricing/countedTime.js';
import { decimalOf, exactOf, exactOfMinor, roundedToMinor } from '../../src/pricing/exact.js';
import { priceUsage, type LoweringDiscount } from '../../src/pricing/priceUsage.js';
import type { PricingTerms, Tier } from '../../src/pricing/terms.js';
import { unusedCredit } from '../../src/productKeys/unusedCredit.js';

const runs = process.env.DEEP ? 20_000 : 400;
const whole = { whole: 1n, uncounted: 0n };

type TierText = [upTo: number | bigint | null, unitPrice: string, flatMinor?: number];

function rule(model: PricingModel, fields: Partial<PricingTerms> = {}, ...tiers: TierText[]): PricingTerms {
  const column = tiers.map(([upTo, unitPrice, flat = 0]): Tier => {
    return { upTo: upTo === null ? null : String(upTo), unitPrice, flatMinor: String(flat) };
  });
  const terms = { currency: 'USD', appliesTo: 'USAGE' as const, amountMinor: null, unitPrice: null, ...fields };
  return { model, tiers: column as never, ...terms };
}

const charge = (terms: PricingTerms, units: bigint | number, quota: bigint | null = null): Charge =>
  chargeOf(terms, { consumed: BigInt(units), quota }, whole);

/** Units, exact amount and minor units. */
const told = ({ units, exact, amountMinor }: Charge) => [units, exact, amountMinor].join(' ');

describe('by hand', () => {
  const tiers: TierText[] = [
    [10, '1', 0],
    [20, '0.5', 300],
    [null, '0.1', 50],
  ];
  test.each<[string, PricingTerms, number | bigint, bigint | null, string]>([
    ['flat, whatever is used', rule('FLAT', { amountMinor: 999n }), 5, null, '0 9.99 999'],
    ['nothing used', rule('PER_UNIT', { unitPrice: '0.02' }), 0, null, '0 0 0'],
    ['per unit', rule('PER_UNIT', { unitPrice: '0.02' }), 1500, null, '1500 30 3000'],
    ['half a cent is rounded up', rule('PER_UNIT', { unitPrice: '0.005' }), 1, null, '1 0.005 1'],
    ['less than half is not', rule('PER_UNIT', { unitPrice: '0.004999999999' }), 1, null, '1 0.004999999999 0'],
    ['once for the whole, not for each unit', rule('PER_UNIT', { unitPrice: '0.005' }), 3, null, '3 0.015 2'],
    ['12 decimals', rule('PER_UNIT', { unitPrice: '0.000000000001' }), 5_000_000_000, null, '5000000000 0.005 1'],
    ['yen have no decimals', rule('PER_UNIT', { unitPrice: '0.5', currency: 'JPY' }), 3, null, '3 1.5 2'],
    ['dinars have three', rule('PER_UNIT', { unitPrice: '0.0005', currency: 'KWD' }), 3, null, '3 0.0015 2'],
    ['only beyond the quota', rule('PER_UNIT', { unitPrice: '2', appliesTo: 'OVERAGE' }), 130, 100n, '30 60 6000'],
    ['within the quota', rule('PER_UNIT', { unitPrice: '2', appliesTo: 'OVERAGE' }), 100, 100n, '0 0 0'],
    [
      'beyond no quota there is nothing',
      rule('PER_UNIT', { unitPrice: '2', appliesTo: 'OVERAGE' }),
      130,
      null,
      '0 0 0',
    ],
    ['tiered: the first', rule('TIERED', {}, ...tiers), 10, null, '10 10 1000'],
    ['tiered: one unit of the second', rule('TIERED', {}, ...tiers), 11, null, '11 13.5 1350'],
    ['tiered: all of it', rule('TIERED', {}, ...tiers), 20, null, '20 18 1800'],
    ['tiered: the last', rule('TIERED', {}, ...tiers), 30, null, '30 19.5 1950'],
    ['tiered: 0 units', rule('TIERED', {}, [null, '1', 500]), 0, null, '0 0 0'],
    ['volume: the first', rule('VOLUME', {}, ...tiers), 10, null, '10 10 1000'],
    ['volume: all units of the second', rule('VOLUME', {}, ...tiers), 11, null, '11 8.5 850'],
    ['volume: its last unit', rule('VOLUME', {}, ...tiers), 20, null, '20 13 1300'],
    ['volume: the last', rule('VOLUME', {}, ...tiers), 21, null, '21 2.6 260'],
    ['volume: 0 units', rule('VOLUME', {}, [null, '1', 500]), 0, null, '0 0 0'],
    [
      'more than a bigint holds',
      rule('PER_UNIT', { unitPrice: '2147483647.000000000001' }),
      2n ** 63n - 1n,
      null,
      `${2n ** 63n - 1n} ${decimalOf((2n ** 63n - 1n) * 2147483647000000000001n)} 1980704061934271235939295150104`,
    ],
  ])('%s', (_name, terms, units, quota, expected) => {
    expect(told(charge(terms, BigInt(units), quota))).toBe(expected);
  });

  test('tiers are told as they were charged', () => {
    expect(charge(rule('TIERED', {}, ...tiers), 25).parts).toEqual([
      { upTo: '10', units: '10', unitPrice: '1', flatMinor: '0', exact: '10' },
      { upTo: '20', units: '10', unitPrice: '0.5', flatMinor: '300', exact: '8' },
      { upTo: null, units: '5', unitPrice: '0.1', flatMinor: '50', exact: '1' },
    ]);
    expect(charge(rule('VOLUME', {}, ...tiers), 25).parts).toEqual([
      { upTo: null, units: '25', unitPrice: '0.1', flatMinor: '50', exact: '3' },
    ]);
  });
});

const units = fc.bigInt({ min: 0n, max: 2n ** 63n - 1n });
const currency = fc.constantFrom('USD', 'JPY', 'KWD', 'CLF', 'EUR');
const price = fc.bigInt({ min: 0n, max: 10n ** 22n }).map(decimalOf);
const tierList = fc
  .array(
    fc.record({ size: fc.bigInt({ min: 1n, max: 10n ** 15n }), price, flat: fc.integer({ min: 0, max: 10 ** 9 }) }),
    {
      minLength: 1,
      maxLength: 8,
    },
  )
  .map((list) => {
    let end = 0n;
    return list.map(({ size, price, flat }, i): TierText => [
      i === list.length - 1 ? null : (end += size),
      price,
      flat,
    ]);
  });
const sum = (numbers: readonly bigint[]) => numbers.reduce((total, one) => total + one, 0n);
const exactly = (decimal: string) => exactOf(decimal) as bigint;

describe('for all', () => {
  test('parts are the whole: units, amounts, and the line is rounded by at most half a minor unit', () => {
    fc.assert(
      fc.property(fc.constantFrom('TIERED', 'VOLUME'), tierList, units, currency, (model, tiers, count, code) => {
        const line = charge(rule(model, { currency: code }, ...tiers), count);
        expect(sum(line.parts.map((part) => BigInt(part.units)))).toBe(count);
        expect(sum(line.parts.map(({ exact }) => exactly(exact)))).toBe(exactly(line.exact));
        for (const part of line.parts) {
          const flat = exactOfMinor(BigInt(part.flatMinor), code);
          expect(exactly(part.exact)).toBe(BigInt(part.units) * exactly(part.unitPrice) + flat);
        }
        const twice = 2n * (exactOfMinor(BigInt(line.amountMinor), code) - exactly(line.exact));
        const unit = exactOfMinor(1n, code);
        expect(twice > -unit && twice <= unit).toBe(true);
      }),
      { numRuns: runs },
    );
  });

  test('one more unit of a tiered rule costs the price of the tier that it falls into, and its flat amount if it is the first', () => {
    fc.assert(
      fc.property(tierList, fc.nat(), fc.bigInt({ min: -1n, max: 1n }), (tiers, pick, off) => {
        const [upTo] = tiers[pick % tiers.length] as TierText;
        const count = BigInt(upTo ?? 5) + off > 0n ? BigInt(upTo ?? 5) + off : 0n;
        const terms = rule('TIERED', {}, ...tiers);
        const step = exactly(charge(terms, count + 1n).exact) - exactly(charge(terms, count).exact);
        const index = tiers.findIndex(([end]) => end === null || count + 1n <= BigInt(end));
        const [, unitPrice, flat = 0] = tiers[index] as TierText;
        const isFirst = count === (index === 0 ? 0n : BigInt((tiers[index - 1] as TierText)[0] as bigint));
        expect(step).toBe(exactly(unitPrice) + (isFirst ? exactOfMinor(BigInt(flat), 'USD') : 0n));
      }),
      { numRuns: runs },
    );
  });

  test('a volume rule charges all units by the one tier that their number falls into', () => {
    fc.assert(
      fc.property(tierList, units, (tiers, count) => {
        const [, unitPrice, flat = 0] = tiers.find(([end]) => end === null || count <= BigInt(end)) as TierText;
        const expected = count === 0n ? 0n : count * exactly(unitPrice) + exactOfMinor(BigInt(flat), 'USD');
        expect(exactly(charge(rule('VOLUME', {}, ...tiers), count).exact)).toBe(expected);
      }),
      { numRuns: runs },
    );
  });

  test('a rule of one tier, tiered or volume, charges as one per unit does; the quota splits usage without a rest', () => {
    fc.assert(
      fc.property(price, units, units, (unitPrice, count, quota) => {
        const perUnit = told(charge(rule('PER_UNIT', { unitPrice }), count));
        for (const model of ['TIERED', 'VOLUME'] as const)
          expect(told(charge(rule(model, {}, [null, unitPrice]), count))).toBe(perUnit);
        const over = charge(rule('PER_UNIT', { unitPrice, appliesTo: 'OVERAGE' }), count, quota);
        expect(BigInt(over.units)).toBe(count > quota ? count - quota : 0n);
      }),
      { numRuns: runs },
    );
  });

  test('decimals come back as they were, and rounding is what a rational number says', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: 10n ** 40n }), currency, (exact, code) => {
        expect(exactOf(decimalOf(exact))).toBe(exact);
        const minor = roundedToMinor(exact, code);
        const unit = exactOfMinor(1n, code);
        expect(minor).toBe(exact / unit + (2n * (exact % unit) >= unit ? 1n : 0n));
      }),
      { numRuns: runs },
    );
    expect(['1e3', '-1', '1.0000000000001', '.5', ''].map(exactOf)).toEqual([null, null, null, null, null]);
  });

  test('what a period cut short is charged and what a cancellation gives back of that amount are the amount', () => {
    const at = (ms: number) => new Date(1_000_000 + ms);
    fc.assert(
      fc.property(
        fc.bigInt({ min: 0n, max: 10n ** 12n }),
        fc.integer({ min: 1, max: 10 ** 9 }),
        fc.integer({ min: 0, max: 10 ** 9 }),
        (amountMinor, length, cut) => {
          const whole = { start: at(0), end: at(length) };
          const end = at(Math.min(cut, length));
          const time = countedTime({ start: at(0), end, whole, trialEndsAt: null });
          const paid = { amountMinor, currency: 'USD', periodStartsAt: whole.start, periodEndsAt: whole.end };
          expect(countedAmount(amountMinor, time) + unusedCredit(paid, end)).toBe(amountMinor);
        },
      ),
      { numRuns: runs },
    );
  });
});

test.each<[string, number | null, number, number | null, number | null, [bigint, bigint]]>([
  ['a whole period', 0, 0, 100, null, [100n, 0n]],
  ['from the middle of a calendar period', 40, 0, 100, null, [100n, 40n]],
  ['with a trial at its beginning', 0, 0, 100, 30, [100n, 30n]],
  ['within the trial', 0, 0, 100, 200, [100n, 100n]],
  ['after the trial', 0, 0, 100, -5, [100n, 0n]],
  ['without an end', 0, 0, null, null, [1n, 0n]],
])('%s counts so much', (_name, start, from, to, trial, [length, uncounted]) => {
  const at = (ms: number | null) => (ms === null ? null : new Date(1_000 + ms));
  const time = countedTime({
    start: at(start) as Date,
    end: at(to),
    whole: { start: at(from) as Date, end: at(to) },
    trialEndsAt: at(trial),
  });
  expect([time.whole, time.uncounted]).toEqual([length, uncounted]);
});

test('one without an end counts not at all when it ended in the trial', () => {
  const period = (end: number) => ({
    start: new Date(0),
    end: new Date(end),
    whole: { start: new Date(0), end: null },
  });
  expect(countedTime({ ...period(10), trialEndsAt: new Date(10) })).toEqual({ whole: 1n, uncounted: 1n });
  expect(countedTime({ ...period(11), trialEndsAt: new Date(10) })).toEqual({ whole: 1n, uncounted: 0n });
});

describe('discounts of a period', () => {
  const lowering = (id: string, fields: Partial<LoweringDiscount>): LoweringDiscount => {
    const nothing = { percentBasisPoints: null, amountsMinor: {}, minimumSpendsMinor: {}, stackingOrder: 0 };
    return { id, discountId: id, ...nothing, ...fields };
  };
  const version = {
    ...rule('FLAT', { amountMinor: 999n }),
    businessId: 'b',
    mode: 'LIVE' as const,
    pricingRuleId: 'r',
  };
  const named = { ...version, version: 1, name: 'Plan', description: null, createdAt: new Date(0) };
  const price = (...discounts: LoweringDiscount[]) => {
    const priced = priceUsage({ consumed: 0n, quota: null }, whole, [named, named], discounts);
    return [priced.discounts.map(({ id, amountMinor }) => `${id} ${amountMinor}`), Number(priced.totalMinor)];
  };
  test.each<[string, LoweringDiscount[], unknown[]]>([
    ['none', [], [[], 1998]],
    ['33.33 %, rounded down once for all lines', [lowering('a', { percentBasisPoints: 3333 })], [['a 665'], 1333]],
    [
      'in their order',
      [lowering('b', { percentBasisPoints: 5000, stackingOrder: 2 }), lowering('a', { amountsMinor: { USD: '998' } })],
      [['a 998', 'b 500'], 500],
    ],
    ['at most what is left', [lowering('a', { amountsMinor: { USD: '99999' } })], [['a 1998'], 0]],
    ['nothing in another currency', [lowering('a', { amountsMinor: { EUR: '5' } })], [[], 1998]],
    [
      'at least so much',
      [lowering('a', { percentBasisPoints: 1000, minimumSpendsMinor: { USD: '1998' } })],
      [['a 199'], 1799],
    ],
    ['less than that', [lowering('a', { percentBasisPoints: 1000, minimumSpendsMinor: { USD: '1999' } })], [[], 1998]],
    [
      'a minimum in another currency',
      [lowering('a', { percentBasisPoints: 1000, minimumSpendsMinor: { EUR: '1' } })],
      [[], 1998],
    ],
  ])('%s', (_name, discounts, expected) => {
    expect(price(...discounts)).toEqual(expected);
  });

  test('for all: what they take off and the total are what the lines charge', () => {
    const any = fc.record({
      stackingOrder: fc.integer({ min: -2, max: 2 }),
      percentBasisPoints: fc.option(fc.integer({ min: 1, max: 10_000 })),
      off: fc.integer({ min: 1, max: 3000 }),
    });
    fc.assert(
      fc.property(fc.array(any, { maxLength: 5 }), (list) => {
        const discounts = list.map(({ percentBasisPoints, off, stackingOrder }, i) => {
          const amountsMinor: Record<string, string> = percentBasisPoints === null ? { USD: String(off) } : {};
          return lowering(`d${i}`, { percentBasisPoints, amountsMinor, stackingOrder });
        });
        const priced = priceUsage({ consumed: 0n, quota: null }, whole, [named, named], discounts);
        expect(sum(priced.discounts.map(({ amountMinor }) => BigInt(amountMinor)))).toBe(priced.discountMinor);
        expect(priced.subtotalMinor - priced.discountMinor).toBe(priced.totalMinor);
        expect(priced.totalMinor >= 0n).toBe(true);
        expect(priced.discounts.at(-1)?.remainingMinor ?? '1998').toBe(priced.totalMinor.toString());
      }),
      { numRuns: runs },
    );
  });
});
