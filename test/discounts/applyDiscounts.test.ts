import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { applyDiscounts, type AskedDiscount, type SaleLine } from '../../src/discounts/applyDiscounts.js';
import { share } from '../../src/discounts/share.js';
import type { Discount } from '../../src/generated/prisma/client.js';
import { Refusal } from '../../src/kernel/refusal.js';

const now = new Date('2026-12-01T12:00:00.000Z');
const runs = process.env.DEEP ? 20_000 : 500;

/** A discount that holds for everything; ids rise with `age`. */
function discountOf(fields: Partial<Discount>, age = 0): Discount {
  const minor = { amountsMinor: {}, minimumSpendsMinor: {}, percentBasisPoints: null };
  const lists = { productIds: [], packageIds: [], productOfferingIds: [], customerIds: [] };
  const limits = { startsAt: null, expiresAt: null, usageLimit: null, usedCount: 0, usageLimitPerCustomer: null };
  const rest = {
    name: null,
    description: null,
    metadata: {},
    archivedAt: null,
    version: 1,
    createdAt: now,
    updatedAt: now,
  };
  const tenant = { businessId: 'b', mode: 'LIVE' as const, id: `id-${String(age).padStart(3, '0')}`, code: `C${age}` };
  return { ...tenant, ...minor, ...lists, ...limits, ...rest, isCombinable: true, stackingOrder: 0, ...fields };
}

const percent = (percentBasisPoints: number, fields: Partial<Discount> = {}) => ({ percentBasisPoints, ...fields });
const amount = (minor: number, fields: Partial<Discount> = {}) => ({ amountsMinor: { USD: `${minor}` }, ...fields });

const asked = (...discounts: Partial<Discount>[]): AskedDiscount[] =>
  discounts.map((fields, i) => ({
    code: `C${i}`,
    path: ['input', 'discountCodes', `${i}`],
    found: { discount: discountOf(fields, i), codeId: 'c', codeUsageLimit: null, codeUsedCount: 0, customerUses: 0 },
  }));

const line = (unitAmountMinor: bigint, quantity = 1, fields: Partial<SaleLine> = {}): SaleLine => {
  return { productId: 'prod', packageId: 'pkg', productOfferingIds: [], quantity, unitAmountMinor, ...fields };
};
const saleOf = (...lines: SaleLine[]) => ({ now, customerId: 'cus', currency: 'USD', lines });

/** What each of the discounts takes off, by its code, in the order in which they do, and what is to pay. */
function outcome(lines: SaleLine[], ...discounts: Partial<Discount>[]): [string[], number] {
  const priced = applyDiscounts(saleOf(...lines), asked(...discounts));
  return [priced.takenOff.map(({ code, amountMinor }) => `${code} ${amountMinor}`), Number(priced.totalMinor)];
}

describe('stacking, by hand', () => {
  test.each<[string, SaleLine[], Partial<Discount>[], string[], number]>([
    ['20 % and then 5.00', [line(10_000n)], [percent(2000), amount(500)], ['C0 2000', 'C1 500'], 7_500],
    ['5.00 and then 20 %', [line(10_000n)], [amount(500), percent(2000)], ['C0 500', 'C1 1900'], 7_600],
    [
      'the declared order, not the order of the codes',
      [line(10_000n)],
      [percent(2000, { stackingOrder: 5 }), amount(500, { stackingOrder: -5 })],
      ['C1 500', 'C0 1900'],
      7_600,
    ],
    [
      'three: 10 %, 1.00 and half, of 3 at 9.99',
      [line(999n, 3)],
      [percent(1000), amount(100), percent(5000)],
      ['C0 299', 'C1 100', 'C2 1299'],
      1_299,
    ],
    ['33.33 % of 0.99 rounds down', [line(99n)], [percent(3333)], ['C0 32'], 67],
    ['a percentage is rounded once for the whole: 15 % of 3 at 0.33', [line(33n, 3)], [percent(1500)], ['C0 14'], 85],
    ['all of it, and nothing below 0', [line(700n)], [amount(99_999)], ['C0 700'], 0],
    ['100 %', [line(700n, 2)], [percent(10_000)], ['C0 1400'], 0],
    [
      'one for a product and one for everything, of two lines',
      [line(1_000n, 2), line(600n, 1, { productId: 'other', packageId: 'p2' })],
      [percent(5000, { productIds: ['other'] }), percent(1000)],
      ['C0 300', 'C1 230'],
      2_070,
    ],
    [
      'an amount for one line takes nothing from the other',
      [line(1_000n), line(600n, 1, { productId: 'other', packageId: 'p2' })],
      [amount(900, { packageIds: ['p2'] })],
      ['C0 600'],
      1_000,
    ],
  ])('%s', (_, lines, discounts, taken, total) => {
    expect(outcome(lines, ...discounts)).toEqual([taken, total]);
    const reversed = asked(...discounts).reverse();
    expect(Number(applyDiscounts(saleOf(...lines), reversed).totalMinor)).toBe(total);
  });

  test('an offering stands for its later revisions, and not for packages', () => {
    const limited = percent(1000, { productOfferingIds: ['offer-1'] });
    const offering = line(1_000n, 1, { packageId: null, productOfferingIds: ['offer-2', 'offer-1'] });
    expect(outcome([offering], limited)).toEqual([['C0 100'], 900]);
    expect(() => outcome([line(1_000n)], limited)).toThrow('for other products');
  });
});

describe('sharing out', () => {
  test.each<[number, number[], number[]]>([
    [100, [1, 1, 1].map((n) => n * 1000), [34, 33, 33]],
    [200, [1, 1, 1].map((n) => n * 1000), [67, 67, 66]],
    [10, [1, 2, 3].map((n) => n * 10), [2, 3, 5]],
    [1, [0, 0, 5], [0, 0, 1]],
    [7, [3, 4], [3, 4]],
    [0, [3, 4], [0, 0]],
  ])('%d by %j', (whole, weights, parts) => {
    expect(share(BigInt(whole), weights.map(BigInt)).map(Number)).toEqual(parts);
  });

  test('parts are exactly the whole, none is above its weight, and equal weights differ by one at most', () => {
    const weights = fc.array(fc.bigInt({ min: 0n, max: 2_147_483_647_000n }), { minLength: 1, maxLength: 100 });
    fc.assert(
      fc.property(weights, fc.nat(10_000), (all, points) => {
        const sum = all.reduce((a, b) => a + b, 0n);
        const whole = (sum * BigInt(points)) / 10_000n;
        const parts = share(whole, all);
        expect(parts.reduce((a, b) => a + b, 0n)).toBe(whole);
        parts.forEach((part, i) => expect(part >= 0n && part <= (all[i] as bigint)).toBe(true));
      }),
      { numRuns: runs },
    );
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: 10_000n }), fc.integer({ min: 1, max: 100 }), (whole, count) => {
        const parts = share(
          whole,
          Array.from({ length: count }, () => 10_000n),
        ).map(Number);
        expect(Math.max(...parts) - Math.min(...parts)).toBeLessThanOrEqual(1);
      }),
      { numRuns: runs },
    );
  });
});

test('whatever the discounts: nothing below 0, parts that are the whole, each step from what the one before left', () => {
  const rule = fc.record({
    stackingOrder: fc.integer({ min: -2, max: 2 }),
    kind: fc.oneof(
      fc.integer({ min: 1, max: 10_000 }).map((points) => percent(points)),
      fc.integer({ min: 1, max: 500_000 }).map((minor) => amount(minor)),
    ),
    productIds: fc.constantFrom<string[]>([], ['a'], ['b'], ['a', 'b']),
  });
  const lines = fc.array(
    fc.record({
      productId: fc.constantFrom('a', 'b'),
      quantity: fc.integer({ min: 1, max: 20 }),
      unitAmountMinor: fc.bigInt({ min: 0n, max: 100_000n }),
    }),
    { minLength: 1, maxLength: 4 },
  );
  fc.assert(
    fc.property(lines, fc.array(rule, { maxLength: 4 }), (given, rules) => {
      const sale = saleOf(...given.map((fields) => line(0n, 1, fields)));
      const discounts = asked(...rules.map(({ kind, ...fields }) => ({ ...kind, ...fields })));
      let priced;
      try {
        priced = applyDiscounts(sale, discounts);
      } catch (error) {
        expect(error).toBeInstanceOf(Refusal);
        return;
      }
      const whole = sale.lines.reduce(
        (sum, { quantity, unitAmountMinor }) => sum + BigInt(quantity) * unitAmountMinor,
        0n,
      );
      const taken = priced.takenOff.reduce((sum, { amountMinor }) => sum + amountMinor, 0n);
      const parts = priced.unitDiscounts.flat().reduce((sum, part) => sum + part, 0n);
      expect([priced.undiscountedMinor, priced.totalMinor, parts]).toEqual([whole, whole - taken, taken]);
      priced.unitDiscounts.forEach((units, i) => {
        const { unitAmountMinor, quantity } = sale.lines[i] as SaleLine;
        expect(units).toHaveLength(quantity);
        expect(units.every((part) => part >= 0n && part <= unitAmountMinor)).toBe(true);
      });
      let left = whole;
      for (const { amountMinor, remainingMinor } of priced.takenOff) {
        expect(amountMinor > 0n && amountMinor <= left).toBe(true);
        expect(remainingMinor).toBe((left -= amountMinor));
      }
      const again = applyDiscounts(sale, [...discounts].reverse());
      expect([again.totalMinor, again.unitDiscounts]).toEqual([priced.totalMinor, priced.unitDiscounts]);
    }),
    { numRuns: runs },
  );
});

test('each code gets its own refusal, at its own place', () => {
  const codes = [...asked(percent(1000, { archivedAt: now }), percent(1000, { expiresAt: now }), percent(1000))];
  const all = [...codes, { code: 'X', path: ['input', 'discountCode'], found: null }];
  const refused = (() => {
    try {
      applyDiscounts(saleOf(line(100n)), all);
    } catch (error) {
      return (error as Refusal).errors;
    }
    return [];
  })();
  expect(refused.map(({ path, ...error }) => [path.join('.'), (error as { reason?: string }).reason])).toEqual([
    ['input.discountCodes.0', 'ARCHIVED'],
    ['input.discountCodes.1', 'EXPIRED'],
    ['input.discountCode', 'UNKNOWN_CODE'],
  ]);
});
