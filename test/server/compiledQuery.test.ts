import { expect, test } from '@jest/globals';
import { inspect } from 'node:util';
import fc from 'fast-check';
import {
  execute,
  GraphQLObjectType,
  GraphQLSchema,
  GraphQLString,
  isEnumType,
  isInputObjectType,
  isListType,
  isNonNullType,
  Kind,
  parse,
  type DocumentNode,
  type GraphQLInputType,
  type OperationDefinitionNode,
} from 'graphql';
import { createQueryCompiler } from '../../src/graphql/compiledQuery.js';
import { compiledSize } from '../../src/graphql/compiledSize.js';
import type { Asked } from '../../src/graphql/executor.js';
import { createSchema } from '../../src/schema.js';

function operationOf(document: DocumentNode): OperationDefinitionNode {
  return document.definitions.find((node) => node.kind === Kind.OPERATION_DEFINITION) as OperationDefinitionNode;
}

test('queries are compiled after a few executions, unless a variable that may be omitted stands in an object', () => {
  const compiler = createQueryCompiler(createSchema({ inputList: 250, bulkList: 1_000 }));
  const compiled = (query: string) => {
    const document = parse(query);
    const asked = {
      document,
      operation: operationOf(document),
      operationName: undefined,
      variables: {},
    } as unknown as Asked;
    return Array.from({ length: 5 }, () => compiler(asked) !== null);
  };
  expect(compiled('{ licenses { totalCount } }')).toEqual([false, false, false, true, true]);
  expect(compiled('query ($t: DateTime!) { licenses(where: { createdAt: { lt: $t } }) { totalCount } }').at(-1)).toBe(
    true,
  );
  expect(compiled('query ($t: DateTime) { licenses(where: { createdAt: { lt: $t } }) { totalCount } }').at(-1)).toBe(
    false,
  );
  expect(compiled('mutation { __typename }').at(-1)).toBe(false);
  expect(compiled('query ($a: Boolean!) { licenses { totalCount @include(if: $a) } }').at(-1)).toBe(true);
  expect(compiled('query ($a: Boolean!) { licenses { nodes { id @skip(if: $a) number id } } }').at(-1)).toBe(false);
  expect(compiled('query ($a: Boolean = true) { licenses { totalCount @include(if: $a) } }').at(-1)).toBe(true);
  expect(compiled('query ($a: Boolean!) { licenses { ... @skip(if: $a) { totalCount } } }').at(-1)).toBe(false);
});

test('what a compiled query would be is bounded: one that is too large is interpreted, and of many the oldest go', () => {
  const schema = createSchema({ inputList: 250, bulkList: 1_000 });
  const askedOf = (query: string) => {
    const document = parse(query);
    return { document, operation: operationOf(document), operationName: undefined, variables: {} } as unknown as Asked;
  };
  const sizeOf = (query: string) => {
    const { document } = askedOf(query);
    return compiledSize(schema, document, operationOf(document), 1_000);
  };
  expect(
    sizeOf('{ licenses { totalCount nodes { ...L ... on Node { id } } } } fragment L on License { id number }'),
  ).toBe(8);
  const errors = (i: number) =>
    `a${i}: previewLicenseChange(input: { licenseId: "x", productOfferingId: "y" }) { userErrors { message path code } }`;
  // For each type of error again: a line of text would take megabytes.
  expect(sizeOf(`{ ${errors(0)} }`)).toBeGreaterThan(150);
  const large = Array.from({ length: 10 }, (_, i) => errors(i)).join(' ');
  expect(sizeOf(`{ ${large} }`)).toBe(1_001);
  const doubled = Array.from({ length: 11 }, (_, i) => `fragment F${i} on License { ...F${i + 1} ...F${i + 1} }`).join(
    ' ',
  );
  expect(sizeOf(`{ licenses { nodes { ...F0 } } } ${doubled} fragment F11 on License { id }`)).toBe(1_001);

  const compiler = createQueryCompiler(schema, 4);
  const ran = (asked: Asked) => Array.from({ length: 4 }, () => compiler(asked) !== null).at(-1);
  expect(ran(askedOf(`{ ${large} }`))).toBe(false);
  const [a, b, c] = ['{ licenses { totalCount } }', '{ orders { totalCount } }', '{ grants { totalCount } }'].map(
    askedOf,
  );
  expect([a, b].map((asked) => ran(asked as Asked))).toEqual([true, true]);
  expect(compiler(a as Asked)).not.toBeNull();
  expect(ran(c as Asked)).toBe(true);
  expect([a, b, c].map((asked) => compiler(asked as Asked) !== null)).toEqual([true, false, true]);
});

const odd = fc.constantFrom<unknown>(
  ...[
    null,
    0,
    1,
    -1,
    1.5,
    1e3,
    2 ** 31,
    2 ** 53,
    '',
    'x',
    '1',
    '1.5',
    'true',
    true,
    false,
    [],
    {},
    ['x'],
    [1],
    [null],
    { a: 1 },
  ],
  ...['2026-01-01T00:00:00Z', '2026-13-01', 1_767_225_600_000, 'ACTIVE', 'LIVE', [['x']], [[]], [{}]],
);

/** JSON that often fits a type, and often does not quite. */
function valueOf(type: GraphQLInputType, depth = 0): fc.Arbitrary<unknown> {
  if (isNonNullType(type)) return valueOf(type.ofType, depth);
  if (isListType(type)) {
    const item = valueOf(type.ofType, depth + 1);
    return fc.oneof({ weight: 8, arbitrary: fc.array(item, { maxLength: 3 }) }, item, odd);
  }
  if (isEnumType(type))
    return fc.oneof({ weight: 8, arbitrary: fc.constantFrom(...type.getValues().map(({ name }) => name)) }, odd);
  if (!isInputObjectType(type)) return odd;
  const fields = depth > 3 ? [] : Object.values(type.getFields());
  const values = Object.fromEntries(fields.map((field) => [field.name, valueOf(field.type, depth + 1)]));
  const requiredKeys = fields.filter((field) => isNonNullType(field.type)).map(({ name }) => name);
  return fc.oneof({ weight: 8, arbitrary: fc.record(values, { requiredKeys }) }, odd);
}

test('a compiled query takes no variables that graphql-js refuses, and gives resolvers the same of those that it takes', () => {
  const queries = Object.values(createSchema({ inputList: 250, bulkList: 1_000 }).getQueryType()!.getFields());
  const types = new Map(queries.flatMap(({ args }) => args.map(({ type }) => [String(type), type])));
  const resolve = (_parent: unknown, args: object) => inspect(args, { depth: null, sorted: true });
  const fields = [...types.values()].map((type, i) => [
    `f${i}`,
    { type: GraphQLString, args: { a: { type } }, resolve },
  ]);
  const schema = new GraphQLSchema({
    query: new GraphQLObjectType({ name: 'Query', fields: Object.fromEntries(fields) as never }),
  });
  const compiler = createQueryCompiler(schema);
  let compared = 0;
  for (const [i, type] of [...types.values()].entries()) {
    const document = parse(`query ($a: ${String(type)}) { f${i}(a: $a) }`);
    const asked = { document, operation: operationOf(document) } as unknown as Asked;
    for (let run = 0; run < 3; run++) compiler(asked);
    const compiled = compiler(asked);
    if (!compiled) continue; // of inputs that are never compiled
    const check = (variableValues: Record<string, unknown>) => {
      const ours = compiled(variableValues, {} as never) as { data?: object | null } | undefined;
      if (ours?.data === undefined) return; // graphql-js answers then
      const theirs = execute({ schema, document, variableValues }) as { data?: object | null };
      expect({ variableValues, data: { ...ours.data } }).toEqual({ variableValues, data: { ...theirs.data } });
      compared++;
    };
    check({});
    const values = fc.oneof(odd, valueOf(type));
    fc.assert(
      fc.property(values, (a) => check({ a })),
      { numRuns: 60, seed: 7 },
    );
  }
  expect(types.size).toBeGreaterThan(50);
  expect(compared).toBeGreaterThan(500);
});
