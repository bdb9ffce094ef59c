import { beforeAll, expect, test } from '@jest/globals';
import { isObjectType, isRequiredArgument } from 'graphql';
import { globalId, idPrefixes, newId, type IdType } from '../../src/kernel/id.js';
import { columnName, tables } from '../../src/kernel/rows.js';
import { readContract } from '../../src/schema.js';
import { useApi } from '../support/api.js';
import { newBusiness, newCustomer, newSession, type TestBusiness } from '../support/business.js';
import { newWorld } from '../support/world.js';

const api = useApi();
const schema = readContract();
let mine: TestBusiness;
let theirs: TestBusiness;
let ids: Map<IdType, string>;

/** The table that a type's rows stand in; ledger entries are views of transfers. */
const tableOf = (type: IdType) => tables[type === 'LedgerEntry' ? 'LedgerTransfer' : type];

beforeAll(async () => {
  theirs = await newBusiness(api);
  await newWorld(api, theirs.live);
  mine = await newBusiness(api);
  const [business] = await api.db.sql<{ id: string }>(
    null,
    'SELECT id FROM businesses ORDER BY created_at LIMIT 1',
    [],
  );
  ids = new Map();
  for (const type of Object.keys(idPrefixes) as IdType[]) {
    const own = type === 'Business' ? 'id' : 'business_id';
    const [row] = await api.db.sql<{ id: string }>(
      null,
      `SELECT id FROM ${tableOf(type)} WHERE ${own} = $1 ${(await hasModeColumn(type)) ? "AND mode = 'LIVE'" : ''} ORDER BY id DESC LIMIT 1`,
      [business?.id],
    );
    if (row) ids.set(type, globalId(type, row.id));
  }
});

const node = 'query ($id: ID!) { node(id: $id) { __typename id } nodes(ids: [$id]) { id } }';

test('there is an object of every type to ask for', () => {
  expect([...ids.keys()].sort()).toEqual(Object.keys(idPrefixes).sort());
});

test.each(Object.keys(idPrefixes) as IdType[])(
  "another tenant's, the other mode's and a random %s answer alike: not at all",
  async (type) => {
    const id = ids.get(type) as string;
    expect(await api.data({ token: theirs.live, query: node, variables: { id } })).toEqual({
      node: { __typename: type, id },
      nodes: [{ id }],
    });
    const random = globalId(type, newId());
    const nothing = JSON.stringify({ node: null, nodes: [null] });
    for (const [token, asked] of [
      [mine.live, id],
      [mine.test, id],
      [theirs.live, random],
    ] as const) {
      expect(JSON.stringify(await api.data({ token, query: node, variables: { id: asked } }))).toBe(nothing);
    }
    if (await hasModeColumn(type))
      expect(JSON.stringify(await api.data({ token: theirs.test, query: node, variables: { id } }))).toBe(nothing);
  },
);

async function hasModeColumn(type: IdType): Promise<boolean> {
  const rows = await api.db.sql(
    null,
    "SELECT 1 AS one FROM information_schema.columns WHERE table_name = $1 AND column_name = 'mode'",
    [tableOf(type)],
  );
  return rows.length > 0;
}

test.each(Object.keys(idPrefixes) as IdType[])(
  'a session of another customer sees no %s that is not its own',
  async (type) => {
    const stranger = await newSession(api, theirs.live, await newCustomer(api, theirs.live));
    expect(await api.data({ token: stranger, query: node, variables: { id: ids.get(type) } })).toEqual({
      node: null,
      nodes: [null],
    });
  },
);

test('lists show nothing of another tenant', async () => {
  const lists = Object.values(schema.getQueryType()?.getFields() ?? {}).filter((field) => {
    const type = schema.getType(String(field.type).replace('!', ''));
    // Those that must be told what to list have tests of their own.
    const isRoot = field.args.every((arg) => !isRequiredArgument(arg));
    return isRoot && isObjectType(type) && type.name.endsWith('Connection');
  });
  expect(lists.length).toBeGreaterThan(12);
  for (const { name } of lists) {
    // A new business has a key for each mode and its primary brand.
    const expected = ['apiKeys', 'brands'].includes(name) ? 1 : 0;
    for (const token of [mine.live, mine.test]) {
      const data = await api.data({ token, query: `{ ${name} { totalCount nodes { id } } }` });
      expect([name, data[name].totalCount, data[name].nodes.length]).toEqual([name, expected, expected]);
    }
  }
});

test('every field of every row maps to its column by one rule', () => {
  expect(['id', 'businessId', 'balanceAfterMinor', 'last4'].map(columnName)).toEqual([
    'id',
    'business_id',
    'balance_after_minor',
    'last4',
  ]);
});
