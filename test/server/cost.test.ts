import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { startServer, type TestServer } from './startServer.js';

let server: TestServer;
beforeAll(async () => {
  server = await startServer();
});
afterAll(() => server.close());

const list = (size: string) => `{ items(first: ${size}) { nodes { id } } }`;

test.each<{ what: string; requested: number; query: string; variables?: object }>(
  (
    [
      ['scalars are free', 0, '{ hello }'],
      ['an object costs 1', 3, '{ thing { next { next { id } } } }'],
      ['@cost overrides', 501, '{ heavy { next { id } } }'],
      ['a connection counts its rows', 51, list('50')],
      ['edges as well as nodes', 51, '{ items(first: 50) { edges { cursor node { id } } } }'],
      [
        'what is in a row counts with it',
        1 + 10 * (1 + 1 + 5),
        '{ items(last: 10) { nodes { items(first: 5) { nodes { id } } } } hello }',
      ],
      ['20 rows by default', 21, '{ items { nodes { id } } }'],
      ['page facts are not rows', 2, '{ items(first: 50) { totalCount pageInfo { hasNextPage } } }'],
      ['rows in a fragment', 51, '{ items(first: 50) { ...F } } fragment F on ThingConnection { nodes { id } }'],
      ['a variable', 51, 'query ($n: Int) { items(first: $n) { nodes { id } } }', { n: 50 }],
      ['the default of a variable', 31, 'query ($n: Int = 30) { items(first: $n) { nodes { id } } }'],
      ['a variable that is null', 21, 'query ($n: Int) { items(first: $n) { nodes { id } } }', { n: null }],
      ['a page that is too large counts as the largest', 101, list('100000')],
      ['and so does a negative one', 101, list('-1')],
      ['ids count', 6, '{ things(ids: ["1", "2", "3"]) { next { id } } }'],
      ['ids in a variable', 2, 'query ($ids: [ID!]!) { things(ids: $ids) { id } }', { ids: ['1', '2'] }],
      ['a root field of a mutation costs 10', 20, 'mutation { touch a: touch }'],
      [
        'one fragment twice counts twice',
        42,
        '{ a: items { ...F } b: items { ...F } } fragment F on ThingConnection { nodes { id } }',
      ],
    ] as [string, number, string, object?][]
  ).map(([what, requested, query, variables]) => ({ what, requested, query, variables })),
)('$what: $requested', async ({ requested, query, variables }) => {
  const { extensions } = await server.ask(query, variables);
  expect(extensions).toEqual({ cost: { requested, limit: 10_000 } });
});

test('over the limit nothing is executed, whatever the variables say later', async () => {
  const query =
    'query ($n: Int!) { items(first: $n) { nodes { items(first: $n) { nodes { items(first: $n) { nodes { id } } } } } } }';
  const before = server.calls.length;
  expect(await server.ask(query, { n: 100 })).toMatchObject({
    status: 400,
    errors: [{ extensions: { code: 'COST_LIMIT_EXCEEDED', requested: 1_020_201, limit: 10_000 } }],
    extensions: { cost: { requested: 1_020_201, limit: 10_000 } },
  });
  expect(server.calls.length).toBe(before);
  expect(await server.ask(query, { n: 2 })).toMatchObject({
    status: 200,
    extensions: { cost: { requested: 1 + 2 * (2 + 2 * (2 + 2)) } },
  });
});
