import { pick, times, worldId, type Tables } from './business.js';

const PRODUCTS = 5;
const OFFERINGS = 20;
const PACKAGES = 5;
const TERMS = 3;

export const licenseTypes = ['SEAT', 'DEVICE', 'SITE', 'SUBSCRIPTION'];

const born = (now: Date) => ({ version: 1, createdAt: now, updatedAt: now });
const asMade = (now: Date) => ({ metadata: '{}', ...born(now) });

/** The nth of a business, from 0 on; there is no end to them. */
export const offeringOf = (business: number, n: number) => worldId('offering', business * OFFERINGS + (n % OFFERINGS));
export const packageOf = (business: number, n: number) => worldId('package', business * PACKAGES + (n % PACKAGES));
export const termOf = (business: number, n: number) => worldId('subscriptionType', business * TERMS + (n % TERMS));
const productOf = (business: number, n: number) => worldId('product', business * PRODUCTS + (n % PRODUCTS));

/** What each business is and sells. */
export const catalogTables: Tables = {
  businesses: ({ number }, now) => [
    { id: worldId('business', number), name: `Business ${number}`, managedBilling: false, ...asMade(now) },
  ],
  brands: ({ number }, now) => [
    {
      businessId: worldId('business', number),
      id: worldId('brand', number),
      name: `Brand ${number}`,
      url: `brand${number}.example.com`,
      isPrimary: true,
      ...asMade(now),
    },
  ],
  products: ({ number }, now) =>
    times(PRODUCTS, (i) => ({
      businessId: worldId('business', number),
      id: productOf(number, i),
      sku: `SKU-${i}`,
      name: pick(['Studio', 'Ledger', 'Router', 'Shield', 'Archive'], i),
      description: 'What it does, in one sentence.',
      ...asMade(now),
    })),
  productOfferings: ({ number }, now) =>
    times(OFFERINGS, (i) => ({
      businessId: worldId('business', number),
      id: offeringOf(number, i),
      productId: productOf(number, i),
      name: `Offering ${i}`,
      licenseType: pick(licenseTypes, i),
      priceMinor: 990 + 500 * i,
      currency: 'EUR',
      billingPeriod: 'MONTH',
      boundMonths: 12,
      groupName: 'standard',
      status: 'AVAILABLE',
      ...asMade(now),
    })),
  packages: ({ number }, now) =>
    times(PACKAGES, (i) => ({
      businessId: worldId('business', number),
      id: packageOf(number, i),
      brandId: worldId('brand', number),
      primaryProductId: productOf(number, i),
      name: `Package ${i}`,
      ...asMade(now),
    })),
  packageOfferings: ({ number }) =>
    times(OFFERINGS, (i) => ({
      businessId: worldId('business', number),
      packageId: packageOf(number, i),
      productOfferingId: offeringOf(number, i),
    })),
  subscriptionTypes: ({ number }, now) =>
    times(TERMS, (i) => ({
      businessId: worldId('business', number),
      id: termOf(number, i),
      name: pick(['Month', 'Year', 'Two years'], i),
      days: pick([30, 365, 730], i),
      ...asMade(now),
    })),
  packagePrices: ({ number }, now) =>
    times(TERMS * PACKAGES, (i) => ({
      businessId: worldId('business', number),
      id: worldId('packagePrice', number * TERMS * PACKAGES + i),
      packageId: packageOf(number, Math.floor(i / TERMS)),
      subscriptionTypeId: termOf(number, i),
      currency: 'EUR',
      amountMinor: 1_990 + 1_000 * i,
      ...born(now),
    })),
};
