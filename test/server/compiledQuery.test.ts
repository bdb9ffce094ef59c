import { expect, test } from '@jest/globals';
import { Kind, parse, type DocumentNode, type OperationDefinitionNode } from 'graphql';
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
