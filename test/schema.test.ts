import { expect, test } from '@jest/globals';
import {
  isEnumType,
  isInputObjectType,
  isInterfaceType,
  isListType,
  isNonNullType,
  isObjectType,
  type GraphQLNamedType,
  type GraphQLObjectType,
} from 'graphql';
import { enforceAuth } from '../src/graphql/auth.js';
import { idPrefixes } from '../src/kernel/id.js';
import { createSchema, readContract } from '../src/schema.js';

const schema = readContract();
const types = Object.values(schema.getTypeMap()).filter((type) => !type.name.startsWith('__'));
const own = types.filter((type) => !['String', 'Int', 'Float', 'Boolean', 'ID'].includes(type.name));
const objects = own.filter(isObjectType);
const mutations = Object.values(schema.getMutationType()?.getFields() ?? {});
const rootFields = [schema.getQueryType(), schema.getMutationType()].flatMap((type) =>
  Object.values((type as GraphQLObjectType).getFields()),
);

function undescribed(type: GraphQLNamedType): string[] {
  const missing = type.description ? [] : [type.name];
  if (isEnumType(type))
    missing.push(
      ...type
        .getValues()
        .filter((value) => !value.description)
        .map((value) => `${type.name}.${value.name}`),
    );
  if (isObjectType(type) || isInterfaceType(type) || isInputObjectType(type)) {
    for (const field of Object.values(type.getFields())) {
      if (!field.description) missing.push(`${type.name}.${field.name}`);
      const args: readonly { name: string; description?: string | null }[] = 'args' in field ? field.args : [];
      missing.push(...args.filter((arg) => !arg.description).map((arg) => `${type.name}.${field.name}(${arg.name}:)`));
    }
  }
  return missing;
}

test('every type, field, argument and enum value is described', () => {
  expect(own.length).toBeGreaterThan(150);
  expect(own.flatMap(undescribed)).toEqual([]);
});

test('every root field says who may call it', () => {
  expect(
    rootFields
      .filter((field) => !field.astNode?.directives?.some(({ name }) => name.value === 'auth'))
      .map(({ name }) => name),
  ).toEqual([]);
});

test('a root field without @auth keeps the server from starting', () => {
  const limits = { inputList: 250, bulkList: 1000 };
  const broken = createSchema(limits);
  const field = broken.getQueryType()?.getFields()['customer'];
  if (field) field.astNode = undefined;
  expect(() => enforceAuth(broken, limits)).toThrow('Query.customer has no @auth');
});

test('a mutation takes one input and answers with a payload of nullable fields and userErrors', () => {
  expect(mutations.length).toBeGreaterThan(20);
  for (const field of mutations) {
    const title = field.name[0]?.toUpperCase() + field.name.slice(1);
    expect([field.name, field.args.map((arg) => `${arg.name}: ${String(arg.type)}`), String(field.type)]).toEqual([
      field.name,
      [`input: ${title}Input!`],
      `${title}Payload!`,
    ]);
    const input = schema.getType(`${title}Input`);
    expect(isInputObjectType(input) && String(input.getFields()['idempotencyKey']?.type)).toBe('String');
    const payload = (schema.getType(`${title}Payload`) as GraphQLObjectType).getFields();
    expect(String(payload['userErrors']?.type)).toBe('[UserError!]!');
    const plain = new Set(['success', 'data', 'statusCode', 'message', 'userErrors']);
    const required = Object.values(payload).filter(({ name, type }) => isNonNullType(type) && !plain.has(name));
    expect(required.map(({ name }) => name)).toEqual([]);
  }
});

test("every refusal's code is its type's name in upper snake case, and the enum holds exactly these", () => {
  const errors = objects.filter((type) => type.getInterfaces().some(({ name }) => name === 'UserError'));
  const codes = errors.map(({ name }) => name.replace(/(?<!^)(?=[A-Z])/g, '_').toUpperCase());
  const codeType = schema.getType('UserErrorCode');
  expect(
    isEnumType(codeType) &&
      codeType
        .getValues()
        .map(({ name }) => name)
        .sort(),
  ).toEqual(codes.sort());
});

test('every type with an id is a Node, and its ids have a prefix', () => {
  const withId = objects
    .filter((type) => type.getFields()['id'] && String(type.getFields()['id']?.type) === 'ID!')
    .map(({ name }) => name);
  const nodes = objects
    .filter((type) => type.getInterfaces().some(({ name }) => name === 'Node'))
    .map(({ name }) => name);
  expect(nodes.sort()).toEqual(withId.sort());
  expect(Object.keys(idPrefixes).sort()).toEqual(nodes.sort());
  expect(new Set(Object.values(idPrefixes)).size).toBe(nodes.length);
});

test('every connection has the same shape and every list of one takes the same four arguments', () => {
  const connections = objects.filter(({ name }) => name.endsWith('Connection'));
  expect(connections.length).toBeGreaterThan(10);
  for (const connection of connections) {
    const row = connection.name.replace('Connection', '');
    expect(Object.values(connection.getFields()).map(({ name, type }) => `${name}: ${String(type)}`)).toEqual([
      `edges: [${row}Edge!]!`,
      `nodes: [${row}!]!`,
      'pageInfo: PageInfo!',
      'totalCount: Int!',
      'totalCountIsCapped: Boolean!',
    ]);
  }
  for (const type of objects) {
    for (const field of Object.values(type.getFields())) {
      if (!String(field.type).replace('!', '').endsWith('Connection')) continue;
      const page = field.args.slice(0, 4).map((arg) => `${arg.name}: ${String(arg.type)}`);
      expect([`${type.name}.${field.name}`, page]).toEqual([
        `${type.name}.${field.name}`,
        ['first: Int', 'after: String', 'last: Int', 'before: String'],
      ]);
    }
  }
});

test('no amount of money is a floating-point number, and list items are never null', () => {
  for (const type of own) {
    if (!isObjectType(type) && !isInputObjectType(type)) continue;
    for (const field of Object.values(type.getFields())) {
      expect(`${type.name}.${field.name}: ${String(field.type)}`).not.toMatch(/: Float/);
      let inner = field.type;
      while (isNonNullType(inner)) inner = inner.ofType;
      if (isListType(inner) && field.name !== 'nodes')
        expect([`${type.name}.${field.name}`, isNonNullType(inner.ofType)]).toEqual([
          `${type.name}.${field.name}`,
          true,
        ]);
    }
  }
});
