import { expect } from '@jest/globals';
import type { Api } from '../support/api.js';
import type { TestBusiness } from '../support/business.js';
import { rowId } from '../support/licenses.js';

const errors = 'userErrors { __typename message path code }';
/** Creates a product and reads every field of it. */
export const createProduct = `mutation ($input: CreateProductInput!) { createProduct(input: $input) {
  product { id sku name description serviceUrl metadata version createdAt updatedAt
    entitlements { id } productOfferings { nodes { id } totalCount } } ${errors} } }`;
/** Creates a offering and reads every field of it. */
export const createProductOffering = `mutation ($input: CreateProductOfferingInput!) { createProductOffering(input: $input) {
  productOffering { id product { id } name description licenseType price { amount currencyCode minorUnits } billingPeriod
    boundMonths group status entitlements { id } metadata version createdAt updatedAt } ${errors} } }`;
/** Creates a package and reads every field of it. */
export const createPackage = `mutation ($input: CreatePackageInput!) { createPackage(input: $input) {
  package { id brand { id } name description primaryProduct { id } productOfferings { id } prices { id } entitlements { id }
    metadata version createdAt updatedAt } ${errors} } }`;
/** Creates a subscription type and reads every field of it. */
export const createSubscriptionType = `mutation ($input: CreateSubscriptionTypeInput!) { createSubscriptionType(input: $input) {
  subscriptionType { id name days metadata version createdAt updatedAt } ${errors} } }`;
/** Creates a price and reads every field of it. */
export const createPackagePrice = `mutation ($input: CreatePackagePriceInput!) { createPackagePrice(input: $input) {
  packagePrice { id package { id } subscriptionType { id } price { amount currencyCode minorUnits } version createdAt
    updatedAt } ${errors} } }`;

/** When these calls happen. */
export const noon = '2026-03-01T12:00:00.000Z';

/** What a new object says of its age. */
export const born = { version: 1, createdAt: noon, updatedAt: noon };

/** Matches an id with a prefix. */
export const idWith = (prefix: string): ReturnType<typeof expect.stringMatching> =>
  expect.stringMatching(new RegExp(`^${prefix}_[0-9a-hjkmnp-tv-z]{26}$`));

/** A well-formed id that is nobody's. */
export const unknownId = (prefix: string): string => `${prefix}_01jd3kzzzzzzzzzzzzzzzzzzzz`;

type Call = [token: string, query: string, input: Record<string, unknown>, headers?: Record<string, string>];

/** Calls of one mutation each, at noon, and what they leave in the database. */
export function catalogCalls(api: Api) {
  /** The payload of the one mutation that a document has. */

  async function run(...[token, query, input, headers]: Call): Promise<any> {
    api.setNow(noon);
    const { data, errors } = await api.call({ token, query, variables: { input }, ...(headers ? { headers } : {}) });
    api.setNow(null);
    if (errors) throw new Error(JSON.stringify(errors));
    return Object.values(data)[0];
  }

  /** Code and path of each refusal; the payload's object must be null. */
  async function refusals(...call: Call): Promise<[code: string, path: string][]> {
    const { userErrors, ...objects } = await run(...call);
    expect(Object.values(objects)).toEqual([null]);
    return userErrors.map((error: { code: string; path: string[] }) => [error.code, error.path.join('.')]);
  }

  /** Codes of the refusals of twenty equal calls that are made at once. */
  async function codesOfTwenty(token: string, query: string, input: Record<string, unknown>): Promise<string[]> {
    const call = () => api.call({ token, query, variables: { input } });
    const answers = await Promise.all(Array.from({ length: 20 }, call));
    const payloads = answers.map(({ data }) => Object.values(data)[0] as { userErrors: { code: string }[] });
    return payloads.flatMap(({ userErrors }) => userErrors.map(({ code }) => code));
  }

  /** How many rows of each kind a business has, and of changes: what a refusal must leave as it is. */
  async function rowCounts({ brandUrl }: TestBusiness): Promise<Record<string, number>> {
    const tables = ['products', 'product_offerings', 'packages', 'package_offerings', 'subscription_types'];
    const counts = [...tables, 'package_prices', 'changes'].map(
      (table) => `(SELECT count(*)::int FROM ${table} x WHERE x.business_id = b.business_id) ${table}`,
    );
    const [row] = await api.db.sql(null, `SELECT ${counts.join(', ')} FROM brands b WHERE url = $1`, [brandUrl]);
    return { ...row };
  }

  /** Every row of the catalog and every change that a business has: two equal ones mean that nothing was written between. */
  async function stateOf({ id }: TestBusiness): Promise<string> {
    const tables = ['products', 'product_versions', 'product_offerings', 'packages', 'package_offerings'];
    const others = ['subscription_types', 'package_prices', 'entitlements', 'entitlement_attachments', 'changes'];
    const parts = [...tables, ...others].map(
      (table) => `SELECT '${table}' AS name, to_jsonb(t) - 'position' AS row FROM ${table} t WHERE business_id = $1`,
    );
    const text = `SELECT md5(string_agg(name || row::text, '|' ORDER BY name, row::text)) AS state FROM (${parts.join(' UNION ALL ')}) all_rows`;
    const [row] = await api.db.sql<{ state: string }>(null, text, [rowId(id)]);
    return row?.state ?? '';
  }

  return { run, refusals, codesOfTwenty, rowCounts, stateOf };
}
