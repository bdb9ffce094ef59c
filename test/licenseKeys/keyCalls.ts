import { expect } from '@jest/globals';
import type { Api } from '../support/api.js';

const keyFields = `id maskedKey last4 source status disabledAt disabledReason activationsUsed activationsLimit expiresAt graceUntil
  supersededTexts { last4 rotatedAt graceUntil isInGrace } customer { id } licenses { id status } grants { id status }
  product { id } deliveries { template status recipient } testMode metadata version createdAt updatedAt`;

/** Calls a mutation whose payload is a license key; gives the payload. */
export async function callKey(
  api: Api,
  token: string,
  mutation: string,
  input: Record<string, unknown>,
  headers: Record<string, string> = {},
): Promise<any> {
  const type = `${mutation[0]?.toUpperCase()}${mutation.slice(1)}Input`;
  const query = `mutation ($input: ${type}!) { ${mutation}(input: $input) {
    licenseKey { ${keyFields} } userErrors { code path message } } }`;
  const answer = await api.call({ token, query, variables: { input }, headers });
  expect(answer.errors).toBeUndefined();
  return answer.data[mutation];
}

/** Code and path of each refusal. */
export function refusals({ userErrors }: { userErrors: { code: string; path: string[] }[] }): string[] {
  return userErrors.map(({ code, path }) => `${code} ${path.join('.')}`);
}

/** A key in full. */
export async function textOfKey(api: Api, token: string, id: string): Promise<string> {
  const query = 'query ($id: ID!) { licenseKey(id: $id) { key } }';
  return (await api.data({ token, query, variables: { id } })).licenseKey.key;
}

/** Ids of the keys that a text finds. */
export async function findByText(api: Api, token: string, key: string): Promise<string[]> {
  const query = 'query ($key: String!) { licenseKeys(where: { key: $key }) { nodes { id } } }';
  const { licenseKeys } = await api.data({ token, query, variables: { key } });
  return licenseKeys.nodes.map(({ id }: { id: string }) => id);
}
