import { pino } from 'pino';
import { readConfig } from '../../src/config.js';
import { keyringOf } from '../../src/keyring.js';
import { applyDueProductKeyEvents } from '../../src/productKeys/applyDueProductKeyEvents.js';
import { closeDuePeriods } from '../../src/productKeys/closeDuePeriods.js';
import { testEnvironment, type Api } from './api.js';

type Fields = Record<string, unknown>;

const keyring = keyringOf(readConfig(testEnvironment));

/** Id of a new pricing rule: 9.99 USD a period unless the fields, as `createPricingRule` takes them, say otherwise. */
export async function newPricingRule(api: Api, token: string, fields: Fields = {}): Promise<string> {
  const terms = fields.model === undefined ? { model: 'FLAT', amount: '9.99' } : {};
  const { createPricingRule } = await api.data({
    token,
    query: `mutation ($input: CreatePricingRuleInput!) { createPricingRule(input: $input) { pricingRule { id } userErrors { message } } }`,
    variables: { input: { name: 'Plan', currencyCode: 'USD', ...terms, ...fields } },
  });
  return createPricingRule.pricingRule.id;
}

/** One run of the worker's job that closes periods, at an instant; gives how many it closed. */
export function closePeriodsAt(api: Api, instant: string): Promise<number> {
  return closeDuePeriods(partsAt(api, instant));
}

/** One run of the job that writes what has become true of product keys by itself; gives of how many keys. */
export function applyDueEventsAt(api: Api, instant: string): Promise<number> {
  return applyDueProductKeyEvents(partsAt(api, instant));
}

function partsAt({ db }: Api, instant: string) {
  const now = new Date(instant);
  return { db, keyring, mailFolder: null, clock: () => now, now, log: pino({ level: 'silent' }) };
}

const money = '{ amount currencyCode }';

/** All figures of a statement or quote. */
export const figures = `periodStart periodEnd usage quota overage currencyCode
  lines { pricingRuleVersion name model appliesTo units exactAmount amount ${money}
    parts { upTo units unitPrice flatAmount ${money} exactAmount } }
  subtotal ${money} discounts { amount ${money} remaining ${money} } discountTotal ${money} total ${money}`;

/** A product key's statements, the oldest first, with all that they say. */
export async function statementsOf(api: Api, token: string, productKeyId: string): Promise<any[]> {
  const { productKeyStatements } = await api.data({
    token,
    query: `query ($id: ID!) { productKeyStatements(first: 100, where: { productKeyId: { in: [$id] } }, orderBy: { direction: ASC }) {
      nodes { id overQuota testMode closedAt ${figures} } } }`,
    variables: { id: productKeyId },
  });
  return productKeyStatements.nodes;
}

/** What a quote says; its refusals where there is none. */
export async function quote(api: Api, token: string, input: Fields): Promise<any> {
  const { quoteUsage } = (
    await api.call({
      token,
      query: `query ($input: QuoteUsageInput!) { quoteUsage(input: $input) { quote { ${figures} }
        userErrors { code path ... on CurrencyMismatch { expected } ... on ProductKeyEnded { endedAs } } } }`,
      variables: { input },
    })
  ).data;
  return quoteUsage.quote ?? quoteUsage.userErrors;
}

/** Calls a mutation of pricing by its name; gives the payload. */
export async function callPricing(
  api: Api,
  token: string,
  name: string,
  input: Fields,
  selection: string,
  headers: Record<string, string> = {},
): Promise<any> {
  const type = `${name[0]?.toUpperCase()}${name.slice(1)}Input`;
  const query = `mutation ($input: ${type}!) { ${name}(input: $input) { ${selection} userErrors { code path
    ... on StaleObject { current } ... on CurrencyMismatch { expected } ... on DiscountNotApplicable { reason } } } }`;
  const answer = await api.call({ token, query, variables: { input }, headers });
  if (answer.errors) throw new Error(JSON.stringify(answer.errors));
  return answer.data[name];
}
