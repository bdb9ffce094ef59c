import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { getIntrospectionQuery } from 'graphql';
import { startServer, type TestServer } from './startServer.js';

let server: TestServer;
beforeAll(async () => {
  server = await startServer();
});
afterAll(() => server.close());
beforeEach(() => {
  server.calls.splice(0);
});

/** `{ thing { next { … name } } }` of so many levels, the leaf included. */
const plain = (depth: number) => `{ thing ${'{ next '.repeat(depth - 2)}{ name }${' }'.repeat(depth - 2)} }`;
const spreads = (depth: number) => {
  const names = Array.from({ length: depth - 2 }, (_, index) => `F${index}`);
  const fragments = names.map((name, index) => `fragment ${name} on Thing { next { ${spread(names[index + 1])} } }`);
  return `{ thing { ${spread(names[0])} } } ${fragments.join(' ')}`;
};
const spread = (name: string | undefined) => (name === undefined ? 'name' : `...${name}`);
const inline = (depth: number) =>
  `{ ... on Query { thing ${'{ ... on Thing { next '.repeat(depth - 2)}{ name }${' } }'.repeat(depth - 2)} } }`;

test.each([
  ['plain', plain],
  ['through spreads', spreads],
  ['through inline fragments', inline],
])('depth 10 is accepted and 11 refused before execution: %s', async (_, document) => {
  expect(await server.ask(document(10))).toMatchObject({ status: 200, data: { thing: {} } });
  server.calls.splice(0);
  expect(await server.ask(document(11))).toMatchObject({
    status: 400,
    errors: [{ message: 'The operation is too deep; the limit is 10.', extensions: { code: 'DEPTH_LIMIT' } }],
  });
  expect(server.calls).toEqual([]);
});

test('a fragment bomb of 2^20 fields is refused within 500 ms', async () => {
  const bomb = Array.from(
    { length: 20 },
    (_, n) => `fragment F${n} on Thing { a: next { ...F${n + 1} } b: next { ...F${n + 1} } }`,
  );
  const flat = Array.from({ length: 20 }, (_, n) => `fragment F${n} on Thing { ...F${n + 1} ...F${n + 1} name }`);
  for (const fragments of [bomb, flat]) {
    const startedAt = performance.now();
    const answer = await server.ask(`{ thing { ...F0 } } ${fragments.join(' ')} fragment F20 on Thing { id }`);
    expect(answer.status).toBe(400);
    expect(performance.now() - startedAt).toBeLessThan(500);
  }
  expect(server.calls).toEqual([]);
});

test('15 aliases are accepted and 16 refused, through fragments too', async () => {
  const aliases = (count: number) => Array.from({ length: count }, (_, n) => `a${n}: name`).join(' ');
  expect((await server.ask(`{ thing { ${aliases(15)} } }`)).status).toBe(200);
  expect(await server.ask(`{ thing { ${aliases(16)} } }`)).toMatchObject({
    status: 400,
    errors: [{ extensions: { code: 'ALIAS_LIMIT' } }],
  });
  const twice = `{ thing { ...F next { ...F } } } fragment F on Thing { ${aliases(8)} }`;
  expect(await server.ask(twice)).toMatchObject({ status: 400, errors: [{ extensions: { code: 'ALIAS_LIMIT' } }] });
});

test('10 root fields are accepted and 11 refused; one name twice is one field', async () => {
  const fields = (count: number) => Array.from({ length: count }, (_, n) => `a${n}: __typename`).join(' ');
  expect((await server.ask(`{ ${fields(10)} }`)).status).toBe(200);
  expect((await server.ask(`{ ${'hello '.repeat(11)} }`)).status).toBe(200);
  expect(await server.ask(`{ ...F } fragment F on Query { ${fields(11)} }`)).toMatchObject({
    status: 400,
    errors: [{ extensions: { code: 'ROOT_FIELD_LIMIT' } }],
  });
});

test('11 directives are refused, and so are 11 operations', async () => {
  const directives = Array.from({ length: 11 }, (_, n) => `${['id', 'name', 'secret'][n % 3]} @include(if: true)`);
  expect(await server.ask(`{ thing { ${directives.join(' ')} } }`)).toMatchObject({
    status: 400,
    errors: [{ extensions: { code: 'DIRECTIVE_LIMIT' } }],
  });
  const operations = Array.from({ length: 11 }, (_, n) => `query Q${n} { hello }`).join(' ');
  expect(await server.post({ query: operations, operationName: 'Q0' })).toMatchObject({ status: 400 });
});

test('1,501 tokens and 21 KB of document are refused', async () => {
  expect(await server.ask(`{ ${'hello '.repeat(1_499)} }`)).toMatchObject({
    status: 400,
    errors: [{ extensions: { code: 'TOKEN_LIMIT' } }],
  });
  expect(await server.ask(`{ hello } #${'x'.repeat(21 * 1024)}`)).toMatchObject({
    status: 400,
    errors: [{ extensions: { code: 'DOCUMENT_TOO_LARGE', requestId: expect.any(String) } }],
  });
});

test('a field repeated as often as tokens allow is handled within 500 ms', async () => {
  const startedAt = performance.now();
  await server.ask(`{ ${'hello '.repeat(1_490)} }`);
  expect(performance.now() - startedAt).toBeLessThan(500);
});

test.each([
  ['unknown fields', { query: `{ ${Array.from({ length: 200 }, (_, n) => `x${n}`).join(' ')} }` }],
  ['unknown directives', { query: `{ ${'hello @x '.repeat(200)} }` }],
  ['wrong variables', { query: 'query ($n: [Int!]!) { sum(numbers: $n) }', variables: { n: Array(20_000).fill('x') } }],
])('200 mistakes get 5 errors: %s', async (_, request) => {
  const answer = (await (await server.post(request)).json()) as { errors: object[] };
  expect(answer.errors).toHaveLength(5);
  expect(JSON.stringify(answer).length).toBeLessThan(4_096);
});

test('deeply nested selections, lists and JSON do not exhaust the stack', async () => {
  const selection = `{ thing ${'{ next '.repeat(480)}{ id }${'}'.repeat(480)} }`;
  const list = `{ sum(numbers: ${'['.repeat(700)}${']'.repeat(700)}) }`;
  for (const query of [selection, list]) {
    const answer = await server.ask(query);
    expect(answer.status).toBe(400);
    expect(JSON.stringify(answer.errors)).not.toMatch(/stack/i);
  }
  const nested = `{"query":"{ hello }","variables":{"x":${'['.repeat(20_000)}${']'.repeat(20_000)}}}`;
  expect((await server.post(nested)).status).toBe(200);
});

test('the standard introspection query passes with all options; deeper ones do not', async () => {
  const options = {
    descriptions: true,
    specifiedByUrl: true,
    schemaDescription: true,
    inputValueDeprecation: true,
    oneOf: true,
  };
  const answer = await server.ask(getIntrospectionQuery({ ...options, directiveIsRepeatable: true }));
  expect(answer.errors).toBeUndefined();
  expect(answer.extensions).toEqual({ cost: { requested: 0, limit: 10_000 } });
  const deep = `{ __type(name: "Thing") ${'{ ofType '.repeat(15)}{ name }${' }'.repeat(15)} }`;
  expect(await server.ask(deep)).toMatchObject({ status: 400, errors: [{ extensions: { code: 'DEPTH_LIMIT' } }] });
});
