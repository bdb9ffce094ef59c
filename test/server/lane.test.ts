import { readdirSync, readFileSync } from 'node:fs';
import { beforeAll, expect, test } from '@jest/globals';
import {
  concatAST,
  getNamedType,
  isEnumType,
  isInputObjectType,
  isListType,
  isNonNullType,
  Kind,
  OperationTypeNode,
  parse,
  print,
  separateOperations,
  typeFromAST,
  type DocumentNode,
  type GraphQLInputType,
  type OperationDefinitionNode,
} from 'graphql';
import { createKnownDocuments } from '../../src/graphql/knownDocuments.js';
import { readContract } from '../../src/schema.js';
import { useApi } from '../support/api.js';
import { newApiKey, newBusiness } from '../support/business.js';
import { newWorld, type World } from '../support/world.js';

import { startServer } from './startServer.js';

// Documents that Apollo Server has seen are answered past it, and queries that come often are compiled. Here the same requests go
// both ways and must get the same bytes: a `charset` in the content type is what the lane leaves to Apollo Server.

const api = useApi();
const contract = readContract();
let live: string;
let limited: string;
let world: World;

beforeAll(async () => {
  ({ live } = await newBusiness(api));
  world = await newWorld(api, live);
  limited = await newApiKey(api, live, ['LICENSES_READ', 'LICENSES_WRITE', 'CATALOG_READ']);
  // From now on time stands still: both ways are asked at one instant, after the world's licenses have begun.
  api.setNow(new Date());
});

const folder = 'sdk/operations';
const operations = Object.entries(
  separateOperations(concatAST(readdirSync(folder).map((name) => parse(readFileSync(`${folder}/${name}`, 'utf8'))))),
);

interface Reply {
  status: number;
  headers: Record<string, unknown>;
  body: string;
}

async function send(way: 'lane' | 'apollo', payload: object, headers: Record<string, string>): Promise<Reply> {
  const contentType = way === 'lane' ? 'application/json' : 'application/json; charset=utf-8';
  const {
    statusCode,
    headers: all,
    body,
  } = await api.server.inject({
    method: 'POST',
    url: '/graphql',
    headers: { 'x-request-id': 'the-same-request', ...headers, 'content-type': contentType },
    payload: JSON.stringify(payload),
  });
  const { date: _date, ...rest } = all;
  // The example of a key pattern is made anew each time.
  return { status: statusCode, headers: rest, body: body.replace(/"example":"[^"]*"/g, '"example":"any"') };
}

async function answeredBy(way: string): Promise<number> {
  const { body } = await api.server.inject({ method: 'GET', url: '/metrics' });
  const lines = body.split('\n').filter((line) => line.startsWith('latchkey_graphql_operations_total'));
  return lines
    .filter((line) => line.includes(`way="${way}"`))
    .reduce((sum, line) => sum + Number(line.split(' ')[1]), 0);
}

/** Ids that exist, so that queries find something: by what the variable's field is about. */
function idFor(query: string): string {
  const ids: [RegExp, string][] = [
    [/\bwallet\(/, world.walletId],
    [/\bcustomer\(/, world.customerId],
    [/\bdiscount\(/, world.discountId],
    [/\border\(/, world.orderId],
    [/\bgrant\(/, world.grantIds[0] as string],
    [/\bpackage\(/, world.packageId],
    [/\bproductOffering\(/, world.productOfferingId],
    [/\bsubscriptionType\(/, world.subscriptionTypeId],
    [/\bentitlement\(/, world.entitlementId],
  ];
  return ids.find(([field]) => field.test(query))?.[1] ?? (world.licenseIds[0] as string);
}

function valueOf(type: GraphQLInputType, id: string): unknown {
  if (isNonNullType(type)) return valueOf(type.ofType, id);
  if (isListType(type)) return [valueOf(type.ofType, id)];
  if (isEnumType(type)) return type.getValues()[0]?.name;
  if (isInputObjectType(type)) {
    const fields = Object.values(type.getFields()).filter((field) => type.isOneOf || isNonNullType(field.type));
    return Object.fromEntries(fields.slice(0, type.isOneOf ? 1 : undefined).map((f) => [f.name, valueOf(f.type, id)]));
  }
  const scalars: Record<string, unknown> = {
    Int: 1,
    Boolean: true,
    Decimal: '1',
    Currency: 'EUR',
    BigInt: '1',
    Metadata: {},
  };
  const dates: Record<string, unknown> = { ID: id, DateTime: '2026-06-01T00:00:00Z', Date: '2026-06-01' };
  return scalars[type.name] ?? dates[type.name] ?? 'x';
}

function variablesOf(document: DocumentNode): Record<string, unknown>[] {
  const operation = operationOf(document);
  const id = idFor(print(document));
  const given = (operation.variableDefinitions ?? []).map((definition) => ({
    name: definition.variable.name.value,
    type: typeFromAST(contract, definition.type as never) as GraphQLInputType,
  }));
  const all = (value: (type: GraphQLInputType) => unknown) =>
    Object.fromEntries(given.map(({ name, type }) => [name, value(type)]));
  const required = Object.fromEntries(
    given.filter(({ type }) => isNonNullType(type)).map(({ name, type }) => [name, valueOf(type, id)]),
  );
  return [
    required,
    { ...required, ...(given.some(({ name }) => name === 'first') ? { first: 2 } : {}) },
    { ...required, unknown: [{}] },
    {},
    all(() => null),
    all((type) => (isInputObjectType(getNamedType(type)) ? 'text' : { wrong: [1] })),
    all(() => ['\u0000']),
  ];
}

function operationOf(document: DocumentNode): OperationDefinitionNode {
  return document.definitions.find((node) => node.kind === Kind.OPERATION_DEFINITION) as OperationDefinitionNode;
}

test('each document of the SDK gets the same bytes, headers and errors either way', async () => {
  const before = await answeredBy('lane');
  let asked = 0;
  let withData = 0;
  for (const [name, document] of operations) {
    const query = print(document);
    const callers: Record<string, string>[] = [{ authorization: `Bearer ${live}` }, { 'x-api-key': limited }, {}];
    for (const [i, variables] of variablesOf(document).entries()) {
      const caller = callers[i === 1 ? 1 : 0] as Record<string, string>;
      const isMutation = operationOf(document).operation === OperationTypeNode.MUTATION;
      const key: Record<string, string> = isMutation ? { 'idempotency-key': `${name} ${i}` } : {};
      const headers = { ...caller, ...key };
      const payload = { query, variables, operationName: name };
      if (isMutation) await send('apollo', payload, headers); // The first takes effect; later ones repeat it.
      const expected = await send('apollo', payload, headers);
      // What comes often is compiled: the first variables are answered before it and after, the others after.
      const times = i === 0 ? 4 : 1;
      for (let time = 0; time < times; time++) expect(await send('lane', payload, headers)).toEqual(expected);
      asked += times;
      if ((JSON.parse(expected.body) as { data?: unknown }).data) withData++;
    }
  }
  expect(operations.length).toBeGreaterThan(60);
  expect(withData).toBeGreaterThan(100);
  expect((await answeredBy('lane')) - before).toBe(asked);
}, 180_000);

test('each way of asking for a known document is answered the same', async () => {
  const authorization = `Bearer ${live}`;
  const id = world.licenseIds[0] as string;
  const one = 'query One($id: ID!) { license(id: $id) { number } }';
  const two = `${one} query Two { licenses { totalCount nodes { id history { nodes { id } } } } }`;
  const failing =
    'query ($ids: [ID!]!) { a: nodes(ids: $ids) { id } b: licenses(first: 101) { totalCount } c: license(id: "x") { id } }';
  const payloads: object[] = [
    { query: one, variables: { id } },
    { query: one, variables: { id }, operationName: null, extensions: null },
    { query: one, variables: { id }, extensions: { a: 1 } },
    { query: one, variables: { id }, operationName: 'Other' },
    { query: one, variables: null },
    { query: one, variables: [id] },
    { query: one, variables: JSON.stringify({ id }) },
    { query: 'query ($where: LicenseWhere) { licenses(where: $where) { totalCount } }', variables: { where: [] } },
    { query: 'query ($a: Boolean = true) { licenses { nodes { id @skip(if: $a) number } nodes { id } } }' },
    { query: 'query ($a: Boolean = true) { licenses { totalCount @include(if: $a) } }', variables: { a: null } },
    { query: two, operationName: 'Two' },
    { query: two },
    { query: failing, variables: { ids: [id, 'nonsense'] } },
    { query: failing, variables: { ids: Array.from({ length: 300 }, () => id) } },
    { query: '{ __schema { queryType { name } } __typename }' },
    { query: '{ licenses(first: 100) { nodes { customer { licenses(first: 100) { nodes { id } } } } } }' },
    { query: '{ licenses { nodes { id } ' },
    { query: '{ nothing }' },
    { query: '' },
    { variables: {} },
    {},
    { query: 7 },
  ];
  const accepts = [
    undefined,
    '*/*',
    'application/json',
    'application/graphql-response+json',
    'application/graphql-response+json, application/json;q=0.9',
    'text/html',
    'multipart/mixed',
  ];
  for (const payload of payloads) {
    for (const accept of accepts) {
      const headers = { authorization, ...(accept ? { accept } : {}) };
      const expected = await send('apollo', payload, headers);
      for (let time = 0; time < 5; time++) {
        expect({ payload, accept, ...(await send('lane', payload, headers)) }).toEqual({
          payload,
          accept,
          ...expected,
        });
      }
    }
    const anonymous = await send('apollo', payload, {});
    expect(await send('lane', payload, {})).toEqual(anonymous);
    const wrong = { authorization: 'Bearer lk_live_wrong' };
    expect(await send('lane', payload, wrong)).toEqual(await send('apollo', payload, wrong));
  }
});

test('known documents are bounded by the size of their texts, and the ones that nobody asks for go first', () => {
  const known = createKnownDocuments(30);
  const document = parse('{ a }');
  for (const text of ['1234567890', 'abcdefghij', 'ABCDEFGHIJ']) known.add(text, document);
  expect(known.get('1234567890')).toBe(document);
  known.add('x', document);
  expect(known.get('abcdefghij')).toBeUndefined();
  expect(known.get('1234567890')).toBe(document);
  known.add('y'.repeat(31), document);
  expect(known.get('1234567890')).toBeUndefined();
});

test('a fault is masked, placed and logged the same, compiled or not', async () => {
  const server = await startServer({ failures: { boom: new Error('secret detail') } });
  try {
    const query = '{ hello a: fail(with: "boom") thing { name } b: fail(with: "boom") }';
    const answers: string[] = [];
    for (let time = 0; time < 6; time++) {
      const response = await server.post({ query }, { 'x-request-id': 'the-same-request' });
      answers.push(`${response.status} ${await response.text()}`);
    }
    expect(new Set(answers).size).toBe(1);
    expect(answers[0]).toMatch(/^200 .*"path":\["a"\].*"path":\["b"\].*"data":\{"hello":"world","a":null/);
    expect(answers[0]).not.toContain('secret detail');
    const faults = server.lines.filter(({ msg }) => msg === 'fault in a request');
    expect(faults).toHaveLength(12);
    expect(faults.every(({ err }) => JSON.stringify(err).includes('secret detail'))).toBe(true);
  } finally {
    await server.close();
  }
});
