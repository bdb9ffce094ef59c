import { expect } from '@jest/globals';
import type { Answer, Api } from '../support/api.js';

/** Every field of a discount. */
export const discountFields = `id code name description status percentBasisPoints
  amounts { amount currencyCode minorUnits } minimumSpends { amount currencyCode minorUnits }
  products { id } packages { id } productOfferings { id } eligibleCustomers { id }
  startsAt expiresAt usageLimit usedCount usageLimitPerCustomer isCombinable stackingOrder metadata testMode archivedAt
  version createdAt updatedAt codes { nodes { code isGenerated usageLimit usedCount } totalCount }
  redemptions { nodes { id } totalCount }`;

const mutations = {
  createDiscount: '',
  updateDiscount: '',
  archiveDiscount: '',
  generateDiscountCodes: 'codes',
} as const;

/** Names of the mutations of discounts. */
export type DiscountMutation = keyof typeof mutations;

/** Calls one of them. */
export function callDiscount(
  api: Api,
  token: string | null,
  name: DiscountMutation,
  input: object,
  headers = {},
): Promise<Answer> {
  const type = `${name[0]?.toUpperCase()}${name.slice(1)}Input`;
  const query = `mutation ($input: ${type}!) { ${name}(input: $input) {
    discount { ${discountFields} } ${mutations[name]} userErrors { __typename message path code } } }`;
  return api.call({ token, query, variables: { input }, headers });
}

/** What it answers, when it is done. */
export async function done(api: Api, token: string, name: DiscountMutation, input: object): Promise<any> {
  const answer = await callDiscount(api, token, name, input);
  expect(answer.errors).toBeUndefined();
  expect(answer.data[name].userErrors).toEqual([]);
  return answer.data[name];
}

/** Code and path of each refusal. */
export async function refused(
  api: Api,
  token: string,
  name: DiscountMutation,
  input: object,
  headers = {},
): Promise<string[]> {
  const answer = await callDiscount(api, token, name, input, headers);
  expect(answer.errors).toBeUndefined();
  const { discount, codes, userErrors } = answer.data[name];
  expect([discount, codes ?? null]).toEqual([null, null]);
  return userErrors.map(({ code, path }: { code: string; path: string[] }) => `${code} ${path.join('.')}`);
}

/** Everything that is written about discounts. */
export async function discountRows(api: Api): Promise<unknown> {
  const tables = ['discounts', 'discount_codes', 'discount_customer_uses', 'discount_redemptions'];
  const rows = tables.map((table) => `SELECT '${table}' AS name, to_jsonb(t)::text AS row FROM ${table} t`);
  const changes = "SELECT 'changes', to_jsonb(c)::text FROM changes c WHERE object_type LIKE 'Discount%'";
  return api.db.sql(null, `${[...rows, changes].join(' UNION ALL ')} ORDER BY 1, 2`, []);
}
