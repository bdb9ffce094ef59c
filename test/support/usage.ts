import type { PoolClient } from 'pg';
import type { Answer, Api } from './api.js';
import { productKeyInput } from './productKeys.js';

type Fields = Record<string, unknown>;

const errors = `userErrors { __typename message path code
  ... on QuotaExceeded { remaining periodEnd } ... on ProductKeyNotUsable { status } ... on ProductKeyReplaced { graceUntil }
  ... on UsagePeriodClosed { periodStart } ... on UsageBelowZero { consumed } }`;
const usage = `usage { productKeyId amount occurredAt consumedQuota quota remainingQuota overage periodStart periodEnd }`;

const queries = {
  recordUsage: `mutation ($input: RecordUsageInput!) { recordUsage(input: $input) { ${usage} ${errors} } }`,
  recordUsages: `mutation ($input: RecordUsagesInput!) { recordUsages(input: $input) {
    results { index ${usage} replayed ${errors} } ${errors} } }`,
  correctUsage: `mutation ($input: CorrectUsageInput!) { correctUsage(input: $input) {
    productKey { id consumedQuota remainingQuota version } ${errors} } }`,
};

/** Calls a mutation of usage; gives the whole answer. */
export function callUsage(
  api: Api,
  token: string,
  name: keyof typeof queries,
  input: Fields,
  headers: Record<string, string> = {},
): Promise<Answer> {
  return api.call({ token, query: queries[name], variables: { input }, headers });
}

/** A new product key with its text; fields as `createProductKey` takes them. */
export async function newUsedKey(api: Api, token: string, fields: Fields = {}): Promise<{ id: string; key: string }> {
  const { createProductKey } = await api.data({
    token,
    query: `mutation ($input: CreateProductKeyInput!) { createProductKey(input: $input) { productKey { id key } userErrors { message } } }`,
    variables: { input: await productKeyInput(api, token, fields) },
  });
  return createProductKey.productKey;
}

/** How many statements were sent to change something while `work` ran, BEGIN and COMMIT among them. */
export async function countWrites(api: Api, work: () => Promise<unknown>): Promise<number> {
  const { pool } = api.db.writer;
  let count = 0;
  const watched = new Map<PoolClient, PoolClient['query']>();
  const watch = (client: PoolClient) => {
    if (watched.has(client)) return;
    const query = client.query.bind(client) as (...args: unknown[]) => unknown;
    watched.set(client, client.query);
    client.query = ((...args: unknown[]) => {
      count++;
      return query(...args);
    }) as PoolClient['query'];
  };
  pool.on('acquire', watch);
  try {
    await work();
  } finally {
    pool.off('acquire', watch);
    for (const [client, query] of watched) client.query = query;
  }
  return count;
}
