import type { Api } from './api.js';

type Fields = Record<string, unknown>;

/** Everything of a version. */
export const slaVersionFields = `id number name description availability { targetPercent } responseTime { percentile thresholdMs }
  supportHours { isAroundTheClock timeZone days from until firstResponseMinutes }
  penalties { metric limit creditBasisPoints creditAmount { amount currencyCode } } createdAt`;

/** Everything of a definition that changes. */
export const slaDefinitionFields = `id name description currentVersion { ${slaVersionFields} } metadata testMode archivedAt version createdAt updatedAt`;

/** What a breach tells of itself. */
export const slaBreachFields = `id metric target measured startsAt endsAt externalId createdAt definition { id } definitionVersion { number }
  penalty { metric limit creditBasisPoints creditAmount { amount currencyCode } } credits { amount currencyCode } productKey { id }`;

/** 99.9 percent; 5 percent back below that, 25 below 99, all below 95. */
export const gold = {
  name: 'Gold',
  availability: { targetPercent: '99.9' },
  penalties: [
    { metric: 'AVAILABILITY', limit: '99.9', creditBasisPoints: 500 },
    { metric: 'AVAILABILITY', limit: '99', creditBasisPoints: 2_500 },
    { metric: 'AVAILABILITY', limit: '95', creditBasisPoints: 10_000 },
  ],
};

/** Calls a mutation by its name; gives the payload, with `selection` of it. */
export async function callSla(
  api: Api,
  token: string,
  name: string,
  input: Fields,
  selection: string,
  headers: Record<string, string> = {},
): Promise<any> {
  const type = `${name[0]?.toUpperCase()}${name.slice(1)}Input`;
  const query = `mutation ($input: ${type}!) { ${name}(input: $input) { ${selection}
    userErrors { __typename message path code ... on StaleObject { current } ... on SlaNotBreached { target }
      ... on SlaMetricNotPromised { promised } ... on SlaBreachOverlaps { startsAt endsAt } ... on ProductKeyEnded { endedAs } } } }`;
  const answer = await api.call({ token, query, variables: { input }, headers });
  if (answer.errors) throw new Error(JSON.stringify(answer.errors));
  return answer.data[name];
}

/** Id of a new SLA definition; fields as `createSlaDefinition` takes them. */
export async function newSlaDefinition(api: Api, token: string, fields: Fields = {}): Promise<string> {
  const payload = await callSla(api, token, 'createSlaDefinition', { ...gold, ...fields }, 'slaDefinition { id }');
  if (payload.userErrors.length > 0) throw new Error(JSON.stringify(payload.userErrors));
  return payload.slaDefinition.id;
}

const watched = [
  ...['changes', 'ledger_transactions', 'ledger_transfers', 'product_key_slas', 'product_keys', 'sla_breach_credits'],
  ...['sla_breaches', 'sla_definition_versions', 'sla_definitions', 'wallets'],
];

/** Every row that has to do with SLAs and money: what is refused leaves them alike. */
export async function slaRows(api: Api): Promise<string> {
  const parts = watched.map((table) => `SELECT '${table}' AS name, to_jsonb(t)::text AS row FROM ${table} t`);
  return JSON.stringify(await api.db.sql(null, `${parts.join(' UNION ALL ')} ORDER BY 1, 2`, []));
}
