import { createPackage } from '../src/catalog/createPackage.js';
import { createPackagePrice } from '../src/catalog/createPackagePrice.js';
import { createProduct } from '../src/catalog/createProduct.js';
import { createProductOffering } from '../src/catalog/createProductOffering.js';
import { createProductVersion } from '../src/catalog/createProductVersion.js';
import { createSubscriptionType } from '../src/catalog/createSubscriptionType.js';
import { publishProductVersion } from '../src/catalog/publishProductVersion.js';
import { attachEntitlement } from '../src/entitlements/attachEntitlement.js';
import { createEntitlement } from '../src/entitlements/createEntitlement.js';
import { globalId } from '../src/kernel/id.js';
import type { RequestContext } from '../src/kernel/requestContext.js';

/** Ids of what the demo vendor sells. */
export type Catalog = Awaited<ReturnType<typeof seedCatalog>>;

/** What the vendor sells, the same for both modes. */
export async function seedCatalog(ctx: RequestContext) {
  const product = async (sku: string, name: string, serviceUrl?: string) =>
    globalId('Product', (await createProduct(ctx, { sku, name, serviceUrl })).productId);
  const studio = await product('POLARIS-STUDIO', 'Polaris Studio');
  const cloud = await product('POLARIS-CLOUD', 'Polaris Cloud', 'https://cloud.polaris.example/login');
  const offering = async (input: Parameters<typeof createProductOffering>[1]) =>
    globalId('ProductOffering', (await createProductOffering(ctx, input)).productOfferingId);
  const studioPro = await offering({
    productId: studio,
    name: 'Studio Pro, yearly',
    licenseType: 'PRO',
    amount: '199.00',
    currencyCode: 'EUR',
    billingPeriod: 'YEAR',
    boundMonths: 12,
  });
  const studioTeam = await offering({
    productId: studio,
    name: 'Studio Team, yearly',
    licenseType: 'TEAM',
    amount: '299.00',
    currencyCode: 'EUR',
    billingPeriod: 'YEAR',
    boundMonths: 12,
  });
  const cloudTeam = await offering({
    productId: cloud,
    name: 'Cloud Team, monthly',
    licenseType: 'TEAM',
    amount: '12.50',
    currencyCode: 'EUR',
    billingPeriod: 'MONTH',
  });
  const createOne = async (name: string, input: Omit<Parameters<typeof createPackage>[1], 'name'>) =>
    globalId('Package', (await createPackage(ctx, { name, ...input })).packageId);
  const studioPackage = await createOne('Studio', { primaryProductId: studio });
  const bundle = await createOne('Studio with plug-in', { primaryProductId: studio, productOfferingIds: [cloudTeam] });
  const subscription = async (name: string, days: number) =>
    globalId('SubscriptionType', (await createSubscriptionType(ctx, { name, days })).subscriptionTypeId);
  const monthly = await subscription('Monthly', 30);
  const yearly = await subscription('Yearly', 365);
  await seedVersions(ctx, studio);
  const entitlements = await seedEntitlements(ctx, { studio, bundle });
  await seedPrices(ctx, { studioPackage, bundle, monthly, yearly });
  return { studio, cloud, studioPro, studioTeam, cloudTeam, studioPackage, bundle, monthly, yearly, ...entitlements };
}

/** A version that is public, and the next one, which is not yet. */
async function seedVersions(ctx: RequestContext, productId: string): Promise<void> {
  const { productVersionId } = await createProductVersion(ctx, { productId, name: '2.0.0' });
  await publishProductVersion(ctx, { productVersionId: globalId('ProductVersion', productVersionId) });
  await createProductVersion(ctx, { productId, name: '2.1.0', description: 'Being tested.' });
}

/** A key that the server makes at once with every Studio, and one that a person supplies with the bundle. */
async function seedEntitlements(ctx: RequestContext, { studio, bundle }: { studio: string; bundle: string }) {
  const entitlement = async (input: Parameters<typeof createEntitlement>[1]) =>
    globalId('Entitlement', (await createEntitlement(ctx, input)).entitlementId);
  const autoKey = await entitlement({
    name: 'Studio license key',
    description: 'Made and mailed by the server as soon as a license is issued.',
    configuration: {
      licenseKey: { fulfillmentMode: 'AUTO', activationsLimit: 3, duration: { count: 1, unit: 'YEAR' } },
    },
  });
  const manualKey = await entitlement({
    name: 'Partner plug-in key',
    description: 'Comes from a partner; a person supplies it.',
    configuration: {
      licenseKey: {
        fulfillmentMode: 'MANUAL',
        activationsLimit: 1,
        activationMessage: 'Enter the key under Help > Activate plug-in.',
        fulfillWithinHours: 24,
      },
    },
  });
  await attachEntitlement(ctx, { entitlementId: autoKey, target: { productId: studio } });
  await attachEntitlement(ctx, { entitlementId: manualKey, target: { packageId: bundle } });
  return { autoKey, manualKey };
}

type PricedIds = Record<'studioPackage' | 'bundle' | 'monthly' | 'yearly', string>;

async function seedPrices(ctx: RequestContext, { studioPackage, bundle, monthly, yearly }: PricedIds): Promise<void> {
  const prices = [
    [studioPackage, monthly, { EUR: '19.90', JPY: '3200', KWD: '6.500' }],
    [studioPackage, yearly, { EUR: '199.00', JPY: '32000', KWD: '65.000' }],
    [bundle, monthly, { EUR: '29.90', JPY: '4800', KWD: '9.750' }],
    [bundle, yearly, { EUR: '299.00', JPY: '48000', KWD: '97.500' }],
  ] as const;
  const inputs = prices.flatMap(([packageId, subscriptionTypeId, amounts]) =>
    Object.entries(amounts).map(([currencyCode, amount]) => ({ packageId, subscriptionTypeId, amount, currencyCode })),
  );
  await Promise.all(inputs.map((input) => createPackagePrice(ctx, input)));
}
