import { beforeAll, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { BillingPeriod, License } from '../../src/generated/prisma/client.js';
import { periodAt } from '../../src/licenses/billingPeriod.js';
import { prorate } from '../../src/licenses/prorate.js';
import { moneyOf } from '../../src/kernel/money.js';
import { useApi } from '../support/api.js';
import { newBusiness, newCustomer } from '../support/business.js';
import { attachEntitlement, newProduct, newProductOffering } from '../support/catalog.js';
import { expectInvariants } from '../support/invariants.js';
import { newLicense } from '../support/licenses.js';
import { balanceOf, creditWallet, newWallet } from '../support/wallets.js';
import { changeOffering, previewChange } from './offeringCalls.js';

const api = useApi();
const DAY = 86_400_000;
const rhythms: BillingPeriod[] = ['ONE_TIME', 'DAY', 'WEEK', 'MONTH', 'YEAR'];

const offering = fc.record({
  minor: fc.bigInt({ min: 0n, max: 100_000n }),
  billingPeriod: fc.constantFrom(...rhythms),
  boundMonths: fc.constantFrom(0, 0, 1, 3, 12),
});
const day = fc.constantFrom('2027-01-31', '2028-01-31', '2028-02-29', '2027-12-31', '2027-03-01');
const scenario = fc.record({
  currency: fc.constantFrom('JPY', 'USD', 'KWD'),
  from: offering,
  to: offering,
  start: day,
  passed: fc.integer({ min: -20 * DAY, max: 500 * DAY }),
  at: fc.option(fc.integer({ min: 0, max: 400 * DAY })),
  paid: fc.boolean(),
});

let token: string;
let customerId: string;
beforeAll(async () => {
  token = (await newBusiness(api)).live;
  customerId = await newCustomer(api, token);
});

const read = `query ($id: ID!) { license(id: $id) { type productOffering { id } pendingProductOffering { productOffering { id } scheduledAt }
  grants { status revocationReason entitlement { name } } } }`;

test('a preview is exactly what the change then does: offering, type, grants and money, now or at its instant', async () => {
  await fc.assert(
    fc.asyncProperty(scenario, async ({ currency, from, to, start, passed, at, paid }) => {
      const begin = new Date(start).getTime();
      const now = new Date(begin + passed);
      api.setNow(new Date(Math.min(begin, now.getTime())));
      const productId = await newProduct(api, token);
      const make = async ({ minor, ...terms }: typeof from, name: string) => {
        const amount = moneyOf(minor, currency).amount;
        const fields = { ...terms, amount, currencyCode: currency, licenseType: name, productId, name };
        const productOfferingId = await newProductOffering(api, token, fields);
        await attachEntitlement(api, token, { target: { productOfferingId }, name: `${name} key` });
        return productOfferingId;
      };
      const [fromId, toId] = [await make(from, 'old'), await make(to, 'new')];
      const licenseId = await newLicense(api, token, { productOfferingId: fromId, customerId, activationDate: start });
      const walletId = await newWallet(api, token, { customerId, currencyCode: currency });
      await creditWallet(api, token, walletId, '2000000', currency);
      api.setNow(now);
      const input = { licenseId, productOfferingId: toId, at: at === null ? null : new Date(now.getTime() + at) };
      const preview = await previewChange(api, token, input);
      const before = await balanceOf(api, token, walletId);
      const done = await changeOffering(api, token, paid ? { ...input, walletId } : input);
      const after = await balanceOf(api, token, walletId);
      if (preview.userErrors.length > 0) {
        expect(done.userErrors.map(({ code, path }: { code: string; path: string[] }) => ({ code, path }))).toEqual(
          preview.userErrors,
        );
        expect(after).toBe(before);
        return;
      }
      const comesLater = new Date(preview.changeDate) > now;
      const total = Number(preview.proration.total.amount);
      if (comesLater && paid && total !== 0) {
        expect([done.userErrors[0].code, after]).toEqual(['INVALID_INPUT', before]);
        return;
      }
      expect(done.userErrors).toEqual([]);
      expect(moneyOf(before - after, currency).amount).toBe(
        paid && !comesLater ? preview.proration.total.amount : moneyOf(0n, currency).amount,
      );
      if (comesLater) {
        const pending = { productOffering: { id: toId }, scheduledAt: preview.changeDate };
        expect(done.license).toMatchObject({ type: 'old', pendingProductOffering: pending });
        api.setNow(preview.changeDate);
        await api.data({
          token,
          query: `mutation ($input: UpdateLicenseInput!) { updateLicense(input: $input) { userErrors { message } } }`,
          variables: { input: { licenseId, description: 'x' } },
        });
      }
      const { license } = await api.data({ token, query: read, variables: { id: licenseId } });
      expect([license.type, license.productOffering.id, license.pendingProductOffering]).toEqual([
        preview.type,
        preview.productOffering.id,
        null,
      ]);
      const named = (ok: (grant: { revocationReason: string | null }) => boolean) =>
        license.grants.filter(ok).map((grant: { entitlement: { name: string } }) => grant.entitlement);
      expect(named(({ revocationReason }) => revocationReason === 'PLAN_CHANGED')).toEqual(preview.revokedEntitlements);
      expect(named(({ revocationReason }) => revocationReason === null)).toEqual(preview.issuedEntitlements);
    }),
    { numRuns: process.env.DEEP ? 300 : 40 },
  );
  api.setNow(null);
  await expectInvariants(api.db);
}, 600_000);

const price = fc.bigInt({ min: 0n, max: 10n ** 14n });
const instant = fc.integer({ min: Date.UTC(2024, 0, 1), max: Date.UTC(2032, 0, 1) }).map((ms) => new Date(ms));
const rhythm = fc.constantFrom(...(['DAY', 'WEEK', 'MONTH', 'YEAR'] as const));

const windowOf = (
  validFrom: Date,
  validUntil: Date | null = null,
): Pick<License, 'validFrom' | 'validUntil' | 'billingSince'> => ({
  validFrom,
  validUntil,
  billingSince: null,
});

test('periods join without gaps, keep the day of their anchor, and hold the instant that was asked for', () => {
  fc.assert(
    fc.property(rhythm, instant, fc.integer({ min: 0, max: 3000 * DAY }), (unit, anchor, passed) => {
      const at = new Date(anchor.getTime() + passed);
      const { start, end } = periodAt(unit, anchor, at);
      expect(start <= at && at < end).toBe(true);
      expect(periodAt(unit, anchor, end).start).toEqual(end);
      if (start > anchor) expect(periodAt(unit, anchor, new Date(start.getTime() - 1)).end).toEqual(start);
    }),
    { numRuns: 2000 },
  );
  const starts = [0, 1, 2, 3].map((month) =>
    periodAt('MONTH', new Date('2028-01-31T10:00:00Z'), new Date(Date.UTC(2028, month, 31, 12))),
  );
  expect(starts.map(({ start, end }) => [start.toISOString().slice(0, 10), end.toISOString().slice(0, 10)])).toEqual([
    ['2028-01-31', '2028-02-29'],
    ['2028-02-29', '2028-03-31'],
    ['2028-03-31', '2028-04-30'],
    ['2028-04-30', '2028-05-31'],
  ]);
});

test('what is credited and what is used up add up, and changing to and fro never costs the vendor anything', () => {
  fc.assert(
    fc.property(
      ...[
        rhythm,
        instant,
        price,
        price,
        fc.array(fc.integer({ min: 0, max: 3 * DAY }), { minLength: 1, maxLength: 6 }),
      ],
      (unit, validFrom, priceA, priceB, steps) => {
        const [a, b] = [priceA, priceB].map((priceMinor) => ({ priceMinor, billingPeriod: unit })) as [
          { priceMinor: bigint; billingPeriod: BillingPeriod },
          { priceMinor: bigint; billingPeriod: BillingPeriod },
        ];
        const { end } = periodAt(unit, validFrom, validFrom);
        const length = BigInt(end.getTime() - validFrom.getTime());
        let [at, from, to, paid, due] = [validFrom.getTime(), a, b, a.priceMinor * length, 0n];
        for (const step of steps) {
          const next = Math.min(at + step, end.getTime() - 1);
          due += from.priceMinor * BigInt(next - at);
          at = next;
          const { credit, charge } = prorate(windowOf(validFrom), from, to, new Date(at));
          expect(credit >= 0n && credit <= from.priceMinor && charge >= 0n && charge <= to.priceMinor).toBe(true);
          const rest = BigInt(end.getTime() - at);
          expect(from.priceMinor * rest - credit * length).toBeLessThan(length);
          paid += (charge - credit) * length;
          [from, to] = [to, from];
        }
        due += from.priceMinor * BigInt(end.getTime() - at);
        // Where prices are equal the credit's fraction of a unit is not charged again.
        if (priceA !== priceB) expect(paid).toBeGreaterThanOrEqual(due);
        else expect(paid).toBe(a.priceMinor * length);
      },
    ),
    { numRuns: 2000 },
  );
});

test('where two periods meet nothing is settled; a price that is paid once is never paid back', () => {
  const window = windowOf(new Date('2027-01-31T00:00:00Z'));
  const [low, high] = [
    { priceMinor: 1000n, billingPeriod: 'MONTH' as const },
    { priceMinor: 3000n, billingPeriod: 'MONTH' as const },
  ];
  const [once, more] = [
    { priceMinor: 500n, billingPeriod: 'ONE_TIME' as const },
    { priceMinor: 900n, billingPeriod: 'ONE_TIME' as const },
  ];
  const meet = new Date('2027-02-28T00:00:00Z');
  expect(prorate(window, low, high, meet)).toEqual({ credit: 0n, charge: 0n });
  expect(prorate(window, low, high, window.validFrom)).toEqual({ credit: 1000n, charge: 3000n });
  expect(prorate(window, low, high, new Date('2027-01-01T00:00:00Z'))).toEqual({ credit: 1000n, charge: 3000n });
  expect(prorate(window, once, more, meet)).toEqual({ credit: 500n, charge: 900n });
  expect(prorate(window, more, once, meet)).toEqual({ credit: 500n, charge: 500n });
  expect(prorate(window, more, low, meet)).toEqual({ credit: 0n, charge: 1000n });
  const half = new Date('2027-02-14T00:00:00Z');
  expect(prorate(window, low, more, half)).toEqual({ credit: 500n, charge: 900n });
  const ends = windowOf(window.validFrom, new Date('2027-02-21T00:00:00Z'));
  expect(prorate(ends, low, high, half)).toEqual({ credit: 250n, charge: 750n });
});
