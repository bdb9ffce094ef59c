import { randomUUID } from 'node:crypto';
import type { Api } from './api.js';
import { newCustomer } from './business.js';

type Fields = Record<string, unknown>;

/** Id of a new pool with these keys of the token's mode; fields as `createLicenseKeyPool` takes them. */
export async function newLicenseKeyPool(
  api: Api,
  token: string,
  keys: readonly string[] = [],
  fields: Fields = {},
): Promise<string> {
  const { createLicenseKeyPool } = await api.data({
    token,
    query: `mutation ($input: CreateLicenseKeyPoolInput!) {
      createLicenseKeyPool(input: $input) { licenseKeyPool { id } userErrors { message } } }`,
    variables: { input: { name: `Pool ${randomUUID()}`, ...fields } },
  });
  const licenseKeyPoolId: string = createLicenseKeyPool.licenseKeyPool.id;
  if (keys.length > 0) {
    await api.data({
      token,
      query: `mutation ($input: AddKeysToPoolInput!) { addKeysToPool(input: $input) { userErrors { message } } }`,
      variables: {
        input: { licenseKeyPoolId, rows: keys.map((key) => ({ key })), onError: 'ALL_OR_NOTHING' },
      },
    });
  }
  return licenseKeyPoolId;
}

/** Id of a new imported key, of a new customer unless one is named; fields as a row of `importLicenseKeys` takes them. */
export async function newLicenseKey(api: Api, token: string, fields: Fields = {}): Promise<string> {
  const customerId = fields.customerId ?? (await newCustomer(api, token));
  const { importLicenseKeys } = await api.data({
    token,
    query: `mutation ($input: ImportLicenseKeysInput!) {
      importLicenseKeys(input: $input) { results { licenseKey { id } } userErrors { message } } }`,
    variables: { input: { rows: [{ key: randomUUID(), customerId, ...fields }], onError: 'ALL_OR_NOTHING' } },
  });
  return importLicenseKeys.results[0].licenseKey.id;
}
