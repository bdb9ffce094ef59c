import type { Answer, Api } from './api.js';
import type { TestBusiness } from './business.js';
import { newCustomer } from './business.js';
import { newKeyedOffering, newLicense, newPendingGrant } from './licenses.js';

type Fields = Record<string, unknown>;

/** A license with the key that it granted. */
export interface TestKey {
  key: string;
  licenseKeyId: string;
  licenseId: string;
  customerId: string;
  customerNumber: string;
}

/** A license with a generated key; `licenseKey` as `newEntitlement` takes it, other fields as `createLicense` takes them. */
export async function newLicensedKey(
  api: Api,
  token: string,
  { licenseKey = {}, ...fields }: Fields = {},
): Promise<TestKey> {
  const productOfferingId = fields.productOfferingId ?? (await newKeyedOffering(api, token, licenseKey as Fields));
  const customerId = (fields.customerId as string | undefined) ?? (await newCustomer(api, token));
  const licenseId = await newLicense(api, token, { ...fields, productOfferingId, customerId });
  const { license } = await api.data({
    token,
    query: 'query ($id: ID!) { license(id: $id) { customer { number } licenseKeys { id key } } }',
    variables: { id: licenseId },
  });
  const [first] = license.licenseKeys as { id: string; key: string }[];
  if (!first) throw new Error('the license has no key');
  const customerNumber = license.customer.number as string;
  return { key: first.key, licenseKeyId: first.id, licenseId, customerId, customerNumber };
}

/** A key without a license, supplied by hand; fields as `fulfillLicenseKeyGrant` takes them. Gives its id. */
export async function newBareKey(api: Api, token: string, key: string, fields: Fields = {}): Promise<string> {
  const { customerId, entitlementId, ...rest } = fields;
  const grantId = await newPendingGrant(api, token, {
    ...(customerId ? { customerId } : {}),
    ...(entitlementId ? { entitlementId } : {}),
  });
  const { fulfillLicenseKeyGrant } = await api.data({
    token,
    query: `mutation ($input: FulfillLicenseKeyGrantInput!) {
      fulfillLicenseKeyGrant(input: $input) { grant { licenseKey { id } } userErrors { message } } }`,
    variables: { input: { grantId, key, ...rest } },
  });
  return fulfillLicenseKeyGrant.grant.licenseKey.id;
}

/** What a program without a token asks, for a business's primary brand. */
export function asked(business: Pick<TestBusiness, 'brandUrl'>, query: string, input: Fields) {
  return { query, variables: { input }, headers: { 'brand-url': business.brandUrl } };
}

/** Every field of what checking a key answers. */
export const validationFields = `valid checks { code message remedy severity }
  license { status type validFrom validUntil validity isActive isPermanent }
  product { sku name latestPublicVersionName } entitlements { name integrationType status }
  activation { id fingerprint name status activatedAt leaseSeconds leaseUntil lastSeenAt endedAt testMode }
  activationsUsed activationsLimit expiresAt asOf checkedAt`;

export const validateQuery = `query ($input: ValidateLicenseKeyInput!) { validateLicenseKey(input: $input) { ${validationFields} } }`;

/** Checks a key without a token. */
export async function validate(api: Api, business: Pick<TestBusiness, 'brandUrl'>, input: Fields): Promise<any> {
  return (await api.data(asked(business, validateQuery, input))).validateLicenseKey;
}

/** Its codes alone. */
export async function codesOf(api: Api, business: Pick<TestBusiness, 'brandUrl'>, input: Fields): Promise<string[]> {
  const { checks } = await validate(api, business, input);
  return checks.map(({ code }: { code: string }) => code);
}

/** Calls a mutation on a key's device without a token, and gives the whole answer. */
export function onDevice(
  api: Api,
  business: Pick<TestBusiness, 'brandUrl'>,
  mutation: 'activateLicenseKey' | 'deactivateLicenseKey' | 'heartbeatActivation',
  input: Fields,
): Promise<Answer> {
  const type = `${mutation[0]?.toUpperCase()}${mutation.slice(1)}Input`;
  const query = `mutation ($input: ${type}!) { ${mutation}(input: $input) {
    activation { id fingerprint name status activatedAt leaseSeconds leaseUntil lastSeenAt endedAt testMode version createdAt updatedAt }
    userErrors { __typename code path message ... on ActivationLimitReached { limit }
      ... on ActivationEnded { status endedAt } ... on LicenseKeyNotValid { checks { code severity } } } } }`;
  return api.call(asked(business, query, input));
}

/** The same, of an activation that must succeed. */
export async function activated(
  api: Api,
  business: Pick<TestBusiness, 'brandUrl'>,
  input: Fields,
): Promise<{ id: string; [field: string]: unknown }> {
  const { data, errors } = await onDevice(api, business, 'activateLicenseKey', input);
  if (errors || data.activateLicenseKey.userErrors.length > 0) throw new Error(JSON.stringify(errors ?? data, null, 2));
  return data.activateLicenseKey.activation;
}
