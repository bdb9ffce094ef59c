import type { Api } from '../support/api.js';
import { newEntitlement, newPackage, newPackagePrice, newProduct, newSubscriptionType } from '../support/catalog.js';

const stamps = 'metadata version createdAt updatedAt';

/** Every field of each kind of object that is updated and archived, by the name of its field in payloads. */
export const fields: Record<string, string> = {
  product: `id sku name description serviceUrl latestPublicVersionName versions { totalCount } archivedAt ${stamps}
    productOfferings { totalCount } entitlements { id }`,
  package: `id brand { id } name description primaryProduct { id } productOfferings { id } prices { id } entitlements { id }
    archivedAt ${stamps}`,
  subscriptionType: `id name days archivedAt ${stamps}`,
  packagePrice: `id package { id } subscriptionType { id } price { amount currencyCode minorUnits } archivedAt version createdAt
    updatedAt`,
  entitlement: `id name description integrationType configuration { __typename ... on LicenseKeyConfiguration { fulfillmentMode
    activationsLimit duration { count unit } activationMessage fulfillWithinHours } } archivedAt ${stamps}`,
};

/** The mutation that does this to that: `call('update', 'packagePrice')`; it reads every field. */
export function call(verb: string, field: string): string {
  const type = `${field[0]?.toUpperCase()}${field.slice(1)}`;
  return `mutation ($input: ${verb[0]?.toUpperCase()}${verb.slice(1)}${type}Input!) { ${verb}${type}(input: $input) {
    ${field} { ${fields[field]} } userErrors { __typename message path code } } }`;
}

/** Reads every field of an object. */
export const read = (field: string): string => `query ($id: ID!) { ${field}(id: $id) { ${fields[field]} } }`;

/** One object of each kind, by the name of its field. */
export async function newObjects(api: Api, token: string): Promise<Record<string, string>> {
  const product = await newProduct(api, token);
  const packageId = await newPackage(api, token, { primaryProductId: product });
  const subscriptionType = await newSubscriptionType(api, token);
  return {
    product,
    package: packageId,
    subscriptionType,
    packagePrice: await newPackagePrice(api, token, { packageId, subscriptionTypeId: subscriptionType }),
    entitlement: await newEntitlement(api, token),
  };
}
