import { beforeAll, expect, test } from '@jest/globals';
import { getOperationAST, parse, type OperationDefinitionNode } from 'graphql';
import { readConfig } from '../../src/config.js';
import { columnsOfOperation, createColumnsOf } from '../../src/graphql/columnsOfOperation.js';
import { ALL, declared, noteReads, reads, readsLoaded } from '../../src/graphql/reads.js';
import { columnSet, createColumnSets, wholeRows, type NarrowRow } from '../../src/kernel/columns.js';
import { fieldsOf } from '../../src/kernel/rows.js';
import { dueColumns } from '../../src/lifecycle/dueChanges.js';
import { createSchema, readContract } from '../../src/schema.js';
import { testEnvironment, useApi, type Statement } from '../support/api.js';
import { newBusiness } from '../support/business.js';
import { newWorld, type World } from '../support/world.js';

const api = useApi();
const schema = createSchema(readConfig(testEnvironment).limits);
let token: string;
let world: World;

beforeAll(async () => {
  ({ live: token } = await newBusiness(api));
  world = await newWorld(api, token);
});

const due: readonly string[] = dueColumns;

/** What a query reads besides keys, by model and in the order of the alphabet. */
function columns(text: string, operationName?: string): Record<string, string[]> {
  const document = parse(text);
  const operation = getOperationAST(document, operationName) as OperationDefinitionNode;
  const read = Object.entries(columnsOfOperation(schema, document, operation));
  const keys = new Set(['businessId', 'mode', 'id']);
  const others = read.map(([model, set]) => [model, set.columns.filter((name) => !keys.has(name)).sort()] as const);
  return Object.fromEntries(others.filter(([, names]) => names.length > 0));
}

test('a query reads what its fields declare, through aliases, fragments, connections, interfaces and directives', () => {
  expect(columns('{ licenses { totalCount nodes { __typename id testMode } } __typename }')).toEqual({});
  expect(columns('{ licenses { nodes { a: number, b: number } edges { cursor node { description } } } }')).toEqual({
    License: ['description', 'number'],
  });
  expect(columns('{ licenses { nodes { status } } }')).toEqual({ License: due.toSorted() });
  expect(columns('query ($a: Boolean!) { licenses { nodes { number @skip(if: $a) tags @include(if: $a) } } }')).toEqual(
    {
      License: ['number', 'tags'],
    },
  );
  const fragments = `{ licenses { nodes { ...A } } } fragment A on License { customer { ...B } ... { number } ... on Node { id } }
    fragment B on Customer { name licenses { nodes { version } } }`;
  expect(columns(fragments)).toEqual({
    Customer: ['companyName', 'firstName', 'lastName', 'number'],
    License: ['customerId', 'number', 'version'],
  });
  const nodes = `{ node(id: "x") { id ...A ... on Customer { email } } } fragment A on Node { ... on ProductOffering { group } }`;
  expect(columns(nodes)).toEqual({ Customer: ['email'], ProductOffering: ['groupName'] });
  expect(columns('{ productOfferings { nodes { price { amount } } } }')).toEqual({
    ProductOffering: ['currency', 'priceMinor'],
  });
});

test('types that share rows, and fields that load rows of others, count for the model', () => {
  expect(
    columns('{ productLicenses(customerNumber: "1", productSku: "2") { nodes { licenseIdentifier until } } }'),
  ).toEqual({
    License: ['number', 'validUntil'],
  });
  expect(columns('{ currentLicense(key: "x") { issuedToIdentifier } }')).toEqual({ Customer: ['number'] });
  expect(columns('{ grants { nodes { status } } }')).toEqual({ License: [...due, 'renewalId'].sort() });
  expect(columns('{ licenses { nodes { type } } }')).toEqual({
    License: [...due, 'type', 'productOfferingId'].sort(),
    ProductOffering: ['licenseType'],
  });
});

test('of several operations each reads its own; it is found out once, and mutations read whole rows', () => {
  const text = `query A { licenses { nodes { number } } } query B { licenses { nodes { tags } } }
    mutation M { pauseLicense(input: { licenseId: "x" }) { license { number } } }`;
  expect([columns(text, 'A'), columns(text, 'B')]).toEqual([{ License: ['number'] }, { License: ['tags'] }]);
  const document = parse(text);
  const columnsOf = createColumnsOf(schema);
  const [a, , m] = document.definitions as OperationDefinitionNode[];
  expect(columnsOf(document, a as never)).toBe(columnsOf(document, a as never));
  expect(columnsOf(document, m as never)).toBe(wholeRows);
});

test('a resolver that declares nothing may read anything, and a field of a row needs a resolver or a column', () => {
  const fresh = readContract();
  const field = (name: string) => {
    const type = fresh.getType('Customer') as { getFields(): Record<string, { resolve?: unknown }> };
    return type.getFields()[name] as { resolve?: unknown };
  };
  expect(() => noteReads(fresh)).toThrow(/\.\w+ has neither a resolver nor a column$/);
  for (const name of ['License', 'ProductLicense', 'Customer', 'AuthenticatedIdentity', 'ProductOffering']) {
    const type = fresh.getType(name) as { getFields(): Record<string, { resolve?: unknown }> };
    for (const one of Object.values(type.getFields())) one.resolve = declared(() => null, { readsColumns: [] });
  }
  const twice = declared(() => null, { readsColumns: ['mail'] });
  expect(() => declared(twice, { readsColumns: ['email'] })).toThrow('a resolver has readsColumns already');
  field('email').resolve = twice;
  expect(() => noteReads(fresh)).toThrow('Customer.email reads mail, which is no column of Customer');
  field('email').resolve = () => null;
  field('code').resolve = reads('Customer', ALL, ({ code }) => code);
  noteReads(fresh);
  const setOf = (text: string) => {
    const document = parse(text);
    return columnsOfOperation(fresh, document, getOperationAST(document) as never).Customer;
  };
  expect(setOf('{ customers { nodes { number } } }').columns).toEqual(['businessId', 'mode', 'id']);
  expect(setOf('{ customers { nodes { email } } }')).toBe(wholeRows.Customer);
  expect(setOf('{ customers { nodes { code } } }')).toBe(wholeRows.Customer);
});

test('the compiler refuses to read what was not declared', () => {
  // @ts-expect-error -- `email` is not declared
  reads('Customer', ['code'], ({ email }) => email);
  // @ts-expect-error -- nothing but the key is declared
  reads('Customer', [], ({ code }) => code);
  // @ts-expect-error -- `tags` is not among them
  reads('License', [...dueColumns, 'number'], ({ tags }) => tags);
  // @ts-expect-error -- a customer has no such column
  reads('Customer', ['codes'], () => null);
  readsLoaded('Customer', ['code'], (seen) => (row: NarrowRow<'Customer'>) => {
    // @ts-expect-error -- a row that was loaded shows its key only
    const unseen = row.code;
    // @ts-expect-error -- `email` is not declared
    return [unseen, row.id, seen(row).code, seen(row).email];
  });
  expect(columnSet('Customer', ['code']).columns).toEqual(['businessId', 'mode', 'id', 'code']);
});

test('sets of columns are known by what is in them, and have only our own columns', () => {
  const setOf = createColumnSets();
  const set = setOf('License', ['tags', 'number']);
  expect(set.columns).toEqual(['businessId', 'mode', 'id', 'number', 'tags']);
  expect(set.list).toBe(
    't.business_id AS "businessId", t.mode AS "mode", t.id AS "id", t.number AS "number", t.tags AS "tags"',
  );
  expect(setOf('License', ['number', 'tags', 'id'])).toBe(set);
  expect(setOf('License', fieldsOf('License'))).toBe(wholeRows.License);
  expect(() => setOf('License', ['number"; DROP TABLE licenses; --'])).toThrow('has not all of the columns');
  // A name is a statement's own in the whole process, wherever the set was made.
  expect(createColumnSets()('License', ['version']).mark).not.toBe(createColumnSets()('License', ['number']).mark);
});

test('there are no more sets than a process can keep statements for: then a larger one serves, whole rows at worst', () => {
  const setOf = createColumnSets(2);
  const few = setOf('Customer', ['code']);
  const more = setOf('Customer', ['code', 'email', 'locale']);
  expect(setOf('Customer', ['email'])).toBe(more);
  expect(setOf('Customer', [])).toBe(few);
  expect(setOf('Customer', ['number'])).toBe(wholeRows.Customer);
  expect(setOf('Customer', ['code'])).toBe(few);
  expect(setOf('License', ['number']).columns).toHaveLength(4); // Each model has its own number of sets.
});

/** The columns that statements read of a table under the alias `t`, a statement each. */
function readOf(table: string, statements: Statement[]): number[] {
  const found = statements.filter(({ text }) => text.includes(`FROM ${table} t`) && !text.includes('count('));
  return found.map(({ text }) => new Set(text.match(/\bt\.\w+ AS "\w+"/g)).size);
}

test('what is sent asks for these columns only, by lists, nested lists and loaders, compiled or not', async () => {
  const query = `{ licenses(first: 2) { nodes { number customer { email licenses(first: 1) { nodes { tags } } } } }
    productOfferings(first: 1) { nodes { group } } }`;
  for (let time = 0; time < 5; time++) {
    const sent = await api.statementsOf(() => api.data({ token, query }));
    expect(readOf('licenses', sent)).toEqual([6, 6]); // The key, the customer's id, number and tags.
    expect(readOf('customers', sent)).toEqual([4]);
    expect(readOf('product_offerings', sent)).toEqual([3]);
  }
  const byIds = `query ($ids: [ID!]!) { nodes(ids: $ids) { ... on License { number } ... on ProductOffering { name } } }`;
  const variables = { ids: [world.licenseIds[0], world.productOfferingId] };
  const sent = await api.statementsOf(() => api.data({ token, query: byIds, variables }));
  expect([readOf('licenses', sent), readOf('product_offerings', sent)]).toEqual([[4], [3]]);
  const other = await api.statementsOf(() => api.data({ token, query: byIds.replace('number', 'version'), variables }));
  const textOf = new Map(sent.map(({ name, text }) => [name, text]));
  expect(other.every(({ name, text }) => !textOf.has(name) || textOf.get(name) === text)).toBe(true);
});

test('a mutation reads whole rows, and so does its replay', async () => {
  const query = `mutation { updateLicense(input: { licenseId: "${world.licenseIds[0]}", description: "x", idempotencyKey: "k" }) {
    license { number customer { number } } userErrors { message } } }`;
  for (const _ of ['first', 'again']) {
    const sent = await api.statementsOf(() => api.data({ token, query }));
    const payload = sent.filter(({ name }) => name?.startsWith('one_License_') || name?.startsWith('one_Customer_'));
    expect(payload.map(({ name }) => name)).toEqual(['one_License_3', 'one_Customer_3']);
    expect(readOf('licenses', payload)).toEqual([fieldsOf('License').length]);
    expect(readOf('customers', payload)).toEqual([fieldsOf('Customer').length]);
  }
});
