import { randomUUID } from 'node:crypto';
import type { Api } from './api.js';

type Fields = Record<string, unknown>;

/** What an entitlement is attached to: one of the three. */
export type Target = { productId: string } | { productOfferingId: string } | { packageId: string };

/** Id of a new product, with a SKU of its own; fields as `createProduct` takes them. */
export async function newProduct(api: Api, token: string, fields: Fields = {}): Promise<string> {
  const { createProduct } = await api.data({
    token,
    query: `mutation ($input: CreateProductInput!) { createProduct(input: $input) { product { id } userErrors { message } } }`,
    variables: { input: { sku: randomUUID(), name: 'Studio', ...fields } },
  });
  return createProduct.product.id;
}

/** Id of a new offering at 19.90 USD once, of type `standard`; of a new product unless `productId` is given. */
export async function newProductOffering(api: Api, token: string, fields: Fields = {}): Promise<string> {
  const productId = fields.productId ?? (await newProduct(api, token));
  const { createProductOffering } = await api.data({
    token,
    query: `mutation ($input: CreateProductOfferingInput!) {
      createProductOffering(input: $input) { productOffering { id } userErrors { message } } }`,
    variables: {
      input: {
        productId,
        name: 'Studio, for good',
        licenseType: 'standard',
        amount: '19.90',
        currencyCode: 'USD',
        ...fields,
      },
    },
  });
  return createProductOffering.productOffering.id;
}

/** Id of a new version of a product; of a new product unless `productId` is given, published where `published` says so. */
export async function newProductVersion(
  api: Api,
  token: string,
  { published = false, ...fields }: Fields = {},
): Promise<string> {
  const productId = fields.productId ?? (await newProduct(api, token));
  const { createProductVersion } = await api.data({
    token,
    query: `mutation ($input: CreateProductVersionInput!) {
      createProductVersion(input: $input) { productVersion { id } userErrors { message } } }`,
    variables: { input: { name: '1.0.0', ...fields, productId } },
  });
  const { id } = createProductVersion.productVersion;
  if (!published) return id;
  const query = `mutation ($input: PublishProductVersionInput!) { publishProductVersion(input: $input) { userErrors { message } } }`;
  await api.data({ token, query, variables: { input: { productVersionId: id } } });
  return id;
}

/** Id of a new package in the primary brand; of a new product unless `primaryProductId` is given. */
export async function newPackage(api: Api, token: string, fields: Fields = {}): Promise<string> {
  const primaryProductId = fields.primaryProductId ?? (await newProduct(api, token));
  const { createPackage } = await api.data({
    token,
    query: `mutation ($input: CreatePackageInput!) { createPackage(input: $input) { package { id } userErrors { message } } }`,
    variables: { input: { primaryProductId, name: 'Starter', ...fields } },
  });
  return createPackage.package.id;
}

/** Id of a new subscription type of 30 days, with a name of its own; fields as `createSubscriptionType` takes them. */
export async function newSubscriptionType(api: Api, token: string, fields: Fields = {}): Promise<string> {
  const { createSubscriptionType } = await api.data({
    token,
    query: `mutation ($input: CreateSubscriptionTypeInput!) {
      createSubscriptionType(input: $input) { subscriptionType { id } userErrors { message } } }`,
    variables: { input: { name: `30 days ${randomUUID()}`, days: 30, ...fields } },
  });
  return createSubscriptionType.subscriptionType.id;
}

/** Id of a new price of 10.00 USD; of a new package and subscription type unless they are given. */
export async function newPackagePrice(api: Api, token: string, fields: Fields = {}): Promise<string> {
  const packageId = fields.packageId ?? (await newPackage(api, token));
  const subscriptionTypeId = fields.subscriptionTypeId ?? (await newSubscriptionType(api, token));
  const { createPackagePrice } = await api.data({
    token,
    query: `mutation ($input: CreatePackagePriceInput!) {
      createPackagePrice(input: $input) { packagePrice { id } userErrors { message } } }`,
    variables: { input: { packageId, subscriptionTypeId, amount: '10.00', currencyCode: 'USD', ...fields } },
  });
  return createPackagePrice.packagePrice.id;
}

/**
 * Id of a new entitlement to a license key. Fields as `createEntitlement` takes them, and beside them those of its
 * `configuration.licenseKey`, under `licenseKey`: `{ licenseKey: { fulfillmentMode: 'MANUAL' } }`.
 */
export async function newEntitlement(
  api: Api,
  token: string,
  { licenseKey = {}, ...fields }: Fields = {},
): Promise<string> {
  const { createEntitlement } = await api.data({
    token,
    query: `mutation ($input: CreateEntitlementInput!) {
      createEntitlement(input: $input) { entitlement { id } userErrors { message } } }`,
    variables: { input: { name: 'Studio key', configuration: { licenseKey }, ...fields } },
  });
  return createEntitlement.entitlement.id;
}

/** Attaches an entitlement; a new one unless `entitlementId` is given, else with `newEntitlement`'s fields. Gives its id. */
export async function attachEntitlement(
  api: Api,
  token: string,
  { target, entitlementId, ...fields }: { target: Target; entitlementId?: string } & Fields,
): Promise<string> {
  const id = entitlementId ?? (await newEntitlement(api, token, fields));
  const { attachEntitlement } = await api.data({
    token,
    query: `mutation ($input: AttachEntitlementInput!) {
      attachEntitlement(input: $input) { entitlement { id } userErrors { message } } }`,
    variables: { input: { entitlementId: id, target } },
  });
  return attachEntitlement.entitlement.id;
}
