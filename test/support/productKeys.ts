import { randomUUID } from 'node:crypto';
import type { Api } from './api.js';
import { newProduct } from './catalog.js';

type Fields = Record<string, unknown>;

/** Every field that `createProductKey` needs, of a new published product unless `productIds` is given; the owner is made. */
export async function productKeyInput(api: Api, token: string, fields: Fields = {}): Promise<Fields> {
  return {
    productIds: fields.productIds ?? [await newProduct(api, token)],
    description: 'Studio API',
    clientEmailAddress: `${randomUUID()}@example.com`,
    clientFirstName: 'Erika',
    clientLastName: 'Mustermann',
    applications: [],
    notifyCreatorOnCreation: false,
    notificationAddressesOnCreation: [],
    notifyOwnerOnQuotaThreshold: false,
    notificationAddressesOnQuotaThreshold: [],
    disableOnPaymentFailed: false,
    namedConsumers: [],
    namedOrganizations: [],
    start: api.now(),
    ...fields,
  };
}

/** URL of a new second brand. */
export async function newBrandUrl(api: Api, token: string): Promise<string> {
  const url = `${randomUUID()}.example.com`;
  const query =
    'mutation ($input: CreateBrandInput!) { createBrand(input: $input) { brand { id } userErrors { message } } }';
  await api.data({ token, query, variables: { input: { name: 'Second', url } } });
  return url;
}

/** Everything of a product key that changes. */
export const productKeyFields = `id number status valid version start trialEndsAt expiration disabledAt disabledBy disabledReason
  cancelAt cancelledAt graceUntil consumedQuota updatedAt`;

/** Id of a new product key; fields as `createProductKey` takes them. */
export async function newProductKey(api: Api, token: string, fields: Fields = {}): Promise<string> {
  const { createProductKey } = await api.data({
    token,
    query: `mutation ($input: CreateProductKeyInput!) { createProductKey(input: $input) { productKey { id } userErrors { message } } }`,
    variables: { input: await productKeyInput(api, token, fields) },
  });
  return createProductKey.productKey.id;
}

/** Id of a new application; fields as `createApplication` takes them. */
export async function newApplication(api: Api, token: string, fields: Fields = {}): Promise<string> {
  const { createApplication } = await api.data({
    token,
    query: `mutation ($input: CreateApplicationInput!) { createApplication(input: $input) { application { id } userErrors { message } } }`,
    variables: { input: { name: 'Gateway', ...fields } },
  });
  return createApplication.application.id;
}

/** Calls a mutation of product keys by its name; gives the payload, with everything of the key that it changes. */
export async function callProductKey(
  api: Api,
  token: string,
  name: string,
  input: Fields,
  more = '',
  headers: Record<string, string> = {},
): Promise<any> {
  const type = `${name[0]?.toUpperCase()}${name.slice(1)}Input`;
  const query = `mutation ($input: ${type}!) { ${name}(input: $input) { productKey { ${productKeyFields} } ${more}
    userErrors { __typename message path code
      ... on IllegalProductKeyTransition { fromStatus toStatus allowedStatuses } ... on ProductKeyEnded { endedAs } ... on StaleObject { current } ... on ProductKeyStarted { startedAt }
      ... on PaymentConflict { recorded } ... on MidPeriodCancellationNotAllowed { periodEnd } } } }`;
  const answer = await api.call({ token, query, variables: { input }, headers });
  if (answer.errors) throw new Error(JSON.stringify(answer.errors));
  return answer.data[name];
}
