import { expect, test } from '@jest/globals';
import {
  getDirectiveValues,
  getNamedType,
  isEnumType,
  isInputObjectType,
  isLeafType,
  isListType,
  isNonNullType,
  isObjectType,
  type GraphQLField,
  type GraphQLInputType,
  type GraphQLObjectType,
} from 'graphql';
import { allScopes } from '../../src/accounts/scopes.js';
import { readContract } from '../../src/schema.js';
import { adminToken, useApi } from '../support/api.js';
import { newApiKey, newBusiness, newCustomer, newSession } from '../support/business.js';
import { newWorld, purchaseInput } from '../support/world.js';

const api = useApi();
const schema = readContract();

interface RootField {
  name: string;
  kind: 'query' | 'mutation';
  scopes: string[];
  principals: string[];
  query: string;
  variables: Record<string, unknown>;
}

/** The least value that a type takes: required fields only, so that authorization is all that can go wrong before the use case. */
function leastValue(type: GraphQLInputType): unknown {
  if (isNonNullType(type)) return leastValue(type.ofType);
  if (isListType(type)) return [];
  if (isEnumType(type)) return type.getValues()[0]?.name;
  if (isInputObjectType(type)) {
    if (type.isOneOf) {
      const [first] = Object.values(type.getFields());
      return first && { [first.name]: leastValue(first.type) };
    }
    const required = Object.values(type.getFields()).filter(
      (field) => isNonNullType(field.type) && field.defaultValue === undefined,
    );
    return Object.fromEntries(required.map((field) => [field.name, leastValue(field.type)]));
  }
  const scalars: Record<string, unknown> = {
    Int: 1,
    Boolean: true,
    Decimal: '1',
    Currency: 'EUR',
    DateTime: '2026-01-01T00:00:00Z',
    Instant: 1_767_225_600_000,
    Date: '2026-01-01',
    BigInt: '1',
    Metadata: {},
  };
  return scalars[type.name] ?? 'x';
}

function rootField(field: GraphQLField<unknown, unknown>, kind: RootField['kind']): RootField {
  const directive = schema.getDirective('auth');
  const rule =
    directive &&
    field.astNode &&
    (getDirectiveValues(directive, field.astNode) as { scopes: string[]; principals: string[] });
  const args = field.args.filter((arg) => isNonNullType(arg.type));
  const declared = args.map((arg) => `$${arg.name}: ${String(arg.type)}`).join(', ');
  const given = args.map((arg) => `${arg.name}: $${arg.name}`).join(', ');
  const selection = isLeafType(getNamedType(field.type)) ? '' : '{ __typename }';
  return {
    name: field.name,
    kind,
    scopes: rule?.scopes ?? [],
    principals: rule?.principals ?? [],
    query: `${kind} ${declared && `(${declared})`} { ${field.name}${given && `(${given})`} ${selection} }`,
    variables: Object.fromEntries(args.map((arg) => [arg.name, leastValue(arg.type)])),
  };
}

const fieldsOf = (type: GraphQLObjectType | null | undefined) => Object.values(type?.getFields() ?? {});
const rootFields = [
  ...fieldsOf(schema.getQueryType()).map((field) => rootField(field, 'query')),
  ...fieldsOf(schema.getMutationType()).map((field) => rootField(field, 'mutation')),
];

async function rowCounts(): Promise<unknown> {
  const tables = await api.db.sql<{ name: string }>(
    null,
    "SELECT relname AS name FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace ORDER BY 1",
    [],
  );
  return api.db.sql(
    null,
    tables.map(({ name }) => `SELECT '${name}' AS name, count(*) FROM "${name}"`).join(' UNION ALL '),
    [],
  );
}

test('each root field turns away whoever it is not for, and nothing changes', async () => {
  const { live } = await newBusiness(api);
  const customerId = await newCustomer(api, live);
  const session = await newSession(api, live, customerId);
  const lacking = new Map<string, string>();
  for (const scope of allScopes)
    lacking.set(
      scope,
      await newApiKey(
        api,
        live,
        allScopes.filter((other) => other !== scope),
      ),
    );
  const before = await rowCounts();
  let cells = 0;
  for (const { name, scopes, principals, query, variables } of rootFields) {
    const outcome = async (token: string | null) => {
      cells++;
      const answer = await api.call({ token, query, variables });
      return [name, answer.status, answer.errors?.[0]?.extensions.code];
    };
    if (!principals.includes('PUBLIC')) expect(await outcome(null)).toEqual([name, 401, 'UNAUTHENTICATED']);
    if (!principals.includes('CUSTOMER')) expect(await outcome(session)).toEqual([name, 200, 'FORBIDDEN']);
    if (!principals.includes('OPERATOR')) expect(await outcome(adminToken)).toEqual([name, 200, 'FORBIDDEN']);
    if (!principals.includes('API_KEY')) expect(await outcome(live)).toEqual([name, 200, 'FORBIDDEN']);
    for (const scope of scopes) expect(await outcome(lacking.get(scope) as string)).toEqual([name, 200, 'FORBIDDEN']);
  }
  expect(await rowCounts()).toEqual(before);
  expect(cells).toBeGreaterThan(150);
});

test('every mutation needs a scope or is for the operator', () => {
  const open = rootFields.filter(
    ({ kind, scopes, principals }) => kind === 'mutation' && scopes.length === 0 && !principals.includes('OPERATOR'),
  );
  expect(open.map(({ name }) => name)).toEqual([]);
});

test('every field below the root that needs a scope is nullable', () => {
  const guarded = Object.values(schema.getTypeMap())
    .filter(isObjectType)
    .filter((type) => type !== schema.getQueryType() && type !== schema.getMutationType())
    .flatMap((type) => fieldsOf(type).map((field) => ({ type, field })))
    .filter(({ field }) => field.astNode?.directives?.some(({ name }) => name.value === 'auth'));
  expect(guarded.length).toBeGreaterThan(30);
  expect(
    guarded.filter(({ field }) => isNonNullType(field.type)).map(({ type, field }) => `${type.name}.${field.name}`),
  ).toEqual([]);
});

test('a guarded field below the root is null with one error for its coordinate, however many rows there are', async () => {
  const { live } = await newBusiness(api);
  for (let i = 0; i < 5; i++) await newCustomer(api, live);
  const narrow = await newApiKey(api, live, ['CUSTOMERS_READ']);
  const answer = await api.call({
    token: narrow,
    query: '{ customers { nodes { name licenses { totalCount } wallets { totalCount } } } }',
  });
  expect(answer.data.customers.nodes).toEqual(
    Array.from({ length: 5 }, () => ({ name: 'Erika Mustermann', licenses: null, wallets: null })),
  );
  expect(answer.errors?.map(({ path, extensions }) => [path, extensions.code, extensions.requiredScopes])).toEqual([
    [['customers', 'nodes', 0, 'licenses'], 'FORBIDDEN', ['LICENSES_READ']],
    [['customers', 'nodes', 0, 'wallets'], 'FORBIDDEN', ['WALLETS_READ']],
  ]);
});

test('nodes of a kind that a key may not read are null with one error, however many they are', async () => {
  const { live } = await newBusiness(api);
  const ids = [await newCustomer(api, live), await newCustomer(api, live), await newCustomer(api, live)];
  const narrow = await newApiKey(api, live, ['WALLETS_READ']);
  const answer = await api.call({
    token: narrow,
    query: 'query ($ids: [ID!]!) { nodes(ids: $ids) { id } }',
    variables: { ids },
  });
  expect([answer.data.nodes, answer.errors?.map(({ extensions }) => extensions.code)]).toEqual([
    [null, null, null],
    ['FORBIDDEN'],
  ]);
});

test('who may buy sees the wallet that paid, not its ledger; who works on a grant is not for customers', async () => {
  const { live } = await newBusiness(api);
  const world = await newWorld(api, live);
  const buyer = await newApiKey(api, live, ['PURCHASES_WRITE']);
  const bought = await api.call({
    token: buyer,
    query: `mutation ($input: PurchaseLicensesByWalletInput!) { purchaseLicensesByWallet(input: $input) {
      wallet { balance { amount } ledgerEntries { nodes { id } } } ledgerEntries { amount { amount } } userErrors { code } } }`,
    variables: { input: purchaseInput(world) },
  });
  expect(bought.data.purchaseLicensesByWallet).toEqual({
    wallet: { balance: { amount: '970.00' }, ledgerEntries: null },
    ledgerEntries: [{ amount: { amount: '10.00' } }],
    userErrors: [],
  });
  const session = await newSession(api, live, world.customerId);
  const seen = await api.call({
    token: session,
    query: 'query ($id: ID!) { grant(id: $id) { status claimedBy claimedUntil revocationNote } }',
    variables: { id: world.grantIds[0] },
  });
  expect(seen.data.grant).toEqual({
    status: expect.any(String),
    claimedBy: null,
    claimedUntil: null,
    revocationNote: null,
  });
  expect(seen.errors?.map(({ path }) => path?.at(-1))).toEqual(['claimedBy', 'claimedUntil', 'revocationNote']);
});

test('an actor is printable text: what could mislead a reader of the history is refused', async () => {
  const { live } = await newBusiness(api);
  for (const actor of ['Zo\u0085e', 'Zo\u202ee']) {
    const header = Buffer.from(actor, 'utf8').toString('latin1');
    const answer = await api.call({ token: live, query: '{ business { id } }', headers: { 'x-actor': header } });
    expect([answer.status, answer.errors?.[0]?.extensions.code]).toEqual([400, 'BAD_REQUEST']);
  }
  const header = Buffer.from('Zoë Müller', 'utf8').toString('latin1');
  expect((await api.call({ token: live, query: '{ business { id } }', headers: { 'x-actor': header } })).status).toBe(
    200,
  );
});

test('a cost cannot be hidden behind the name of a variable', async () => {
  const { live } = await newBusiness(api);
  const ids = JSON.stringify(Array.from({ length: 100 }, () => 'x'));
  for (const name of ['ids', 'constructor', 'toString']) {
    const query = `query ($${name}: [ID!]! = ${ids}) { nodes(ids: $${name}) { ... on Customer { licenses(first: 100) { nodes { id } } } } }`;
    const answer = await api.call({ token: live, query });
    expect([name, answer.status, answer.errors?.[0]?.extensions.code]).toEqual([name, 400, 'COST_LIMIT_EXCEEDED']);
  }
});

test("a kind of operation that there is none of is the caller's mistake", async () => {
  const answer = await api.call({ query: 'subscription { anything }' });
  expect([answer.status, answer.errors?.[0]?.extensions.code]).toEqual([400, 'BAD_REQUEST']);
  const url = await api.server.inject({ method: 'GET', url: '/%' });
  expect([
    url.statusCode,
    url.json<{ errors: { extensions: { code: string } }[] }>().errors[0]?.extensions.code,
  ]).toEqual([400, 'BAD_REQUEST']);
});
