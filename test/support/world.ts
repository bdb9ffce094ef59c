import type { Api } from './api.js';
import { newCustomer, newLoginToken, newOrganization, newSession } from './business.js';
import {
  attachEntitlement,
  newPackage,
  newPackagePrice,
  newProduct,
  newProductOffering,
  newProductVersion,
  newSubscriptionType,
} from './catalog.js';
import { newDiscount } from './discounts.js';
import { newLicenseKeyPool } from './licenseKeys.js';
import { newPricingRule } from './pricing.js';
import { callProductKey, newApplication, newProductKey } from './productKeys.js';
import { callSla, newSlaDefinition } from './sla.js';
import { creditWallet, newWallet } from './wallets.js';

/** Ids of a small shop in which a customer bought. */
export interface World {
  customerId: string;
  walletId: string;
  packageId: string;
  subscriptionTypeId: string;
  productOfferingId: string;
  entitlementId: string;
  orderId: string;
  discountId: string;
  licenseIds: string[];
  grantIds: string[];
  activationId: string;
}

/** What buys one license of the world's package; fields as `purchaseLicensesByWallet` takes them. */
export function purchaseInput(
  world: Pick<World, 'walletId' | 'packageId' | 'subscriptionTypeId' | 'customerId'>,
  fields: Record<string, unknown> = {},
) {
  const startDate = new Date();
  return {
    walletId: world.walletId,
    packageId: world.packageId,
    subscriptionTypeId: world.subscriptionTypeId,
    customerId: world.customerId,
    amount: '10.00',
    currencyCode: 'USD',
    startDate,
    endDate: new Date(startDate.getTime() + 30 * 86_400_000),
    ...fields,
  };
}

/**
 * A shop with something of every type: a customer of an organization with a session, a login token and 999.99 USD, a package at 10.00 USD for 30
 * days whose product grants a generated key and whose offering grants one by hand, and a purchase of two licenses with a
 * discount of 0.01 USD, a device that the first one's key is activated on, a signing key, a product key
 * with an application and an SLA that was broken once, and one with a pricing rule that has ended and has its statement.
 */
export async function newWorld(api: Api, token: string): Promise<World> {
  const organizationId = await newOrganization(api, token);
  const customerId = await newCustomer(api, token, { email: 'erika@example.com', organizationId });
  await newSession(api, token, customerId);
  const productId = await newProduct(api, token, { serviceUrl: 'https://studio.example.com/start' });
  await newLoginToken(api, token, { customerId, productId });
  await newProductVersion(api, token, { productId });
  const productOfferingId = await newProductOffering(api, token, { productId });
  const packageId = await newPackage(api, token, {
    primaryProductId: productId,
    productOfferingIds: [productOfferingId],
  });
  const subscriptionTypeId = await newSubscriptionType(api, token);
  await newPackagePrice(api, token, { packageId, subscriptionTypeId });
  await attachEntitlement(api, token, { target: { productId } });
  await newLicenseKeyPool(api, token, ['POOLED-KEY-1']);
  const slaDefinitionId = await newSlaDefinition(api, token);
  const anHourAgo = new Date(api.now().getTime() - 3_600_000);
  const productKeyId = await newProductKey(api, token, {
    owner: customerId,
    productIds: [productId],
    applications: [await newApplication(api, token)],
    slaDefinitionIds: [slaDefinitionId],
    start: anHourAgo,
  });
  const breach = { metric: 'AVAILABILITY', measured: '98', startsAt: anHourAgo, endsAt: api.now() };
  await callSla(api, token, 'recordSlaBreach', { productKeyId, slaDefinitionId, ...breach }, 'slaBreach { id }');
  const ended = await newProductKey(api, token, {
    owner: customerId,
    productIds: [productId],
    pricingRuleIds: [await newPricingRule(api, token)],
    start: anHourAgo,
  });
  await callProductKey(api, token, 'cancelProductKey', { productKeyId: ended });
  const entitlementId = await attachEntitlement(api, token, {
    target: { productOfferingId },
    licenseKey: { fulfillmentMode: 'MANUAL' },
  });
  const walletId = await newWallet(api, token, { customerId });
  await creditWallet(api, token, walletId, '999.99');
  const discount = await newDiscount(api, token, { amounts: [{ amount: '0.01', currencyCode: 'USD' }] });
  // By the server's clock, so that the device finds them begun.
  const startDate = api.now();
  const { purchaseLicensesByWallet: bought } = await api.data({
    token,
    query: `mutation ($input: PurchaseLicensesByWalletInput!) {
      purchaseLicensesByWallet(input: $input) { order { id } licenses { id grants { id } licenseKeys { key } } userErrors { message } } }`,
    variables: {
      input: purchaseInput(
        { walletId, packageId, subscriptionTypeId, customerId },
        {
          quantity: 2,
          discountCode: discount.code,
          startDate,
          endDate: new Date(startDate.getTime() + 30 * 86_400_000),
        },
      ),
    },
  });
  const { activateLicenseKey } = await api.data({
    token,
    query: `mutation ($input: ActivateLicenseKeyInput!) {
      activateLicenseKey(input: $input) { activation { id } userErrors { message } } }`,
    variables: { input: { key: bought.licenses[0].licenseKeys[0].key, fingerprint: 'world' } },
  });
  await api.data({
    token,
    query: 'mutation { rotateSigningKey(input: {}) { userErrors { message } } }',
  });
  return {
    activationId: activateLicenseKey.activation.id,
    customerId,
    walletId,
    packageId,
    subscriptionTypeId,
    productOfferingId,
    entitlementId,
    orderId: bought.order.id,
    discountId: discount.id,
    licenseIds: bought.licenses.map((license: { id: string }) => license.id),
    grantIds: bought.licenses.flatMap((license: { grants: { id: string }[] }) =>
      license.grants.map((grant) => grant.id),
    ),
  };
}
