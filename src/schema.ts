import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  buildASTSchema,
  concatAST,
  defaultFieldResolver,
  isObjectType,
  isScalarType,
  parse,
  type GraphQLSchema,
} from 'graphql';
import { enforceAuth } from './graphql/auth.js';
import type { ListLimits } from './graphql/checkInput.js';
import { noteReads } from './graphql/reads.js';
import { scalars } from './graphql/scalars.js';
import { resolvers } from './resolvers.js';

/** The folder that holds `schema/`: three steps up from compiled code, one from sources. */
function projectFolder(): string {
  let folder = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(folder, 'schema', 'base.graphql'))) {
    const parent = dirname(folder);
    if (parent === folder) throw new Error('the folder schema/ is missing');
    folder = parent;
  }
  return folder;
}

/** The contract, as its files say it. */
export function readContract(): GraphQLSchema {
  const folder = join(projectFolder(), 'schema');
  const files = readdirSync(folder).filter((name) => name.endsWith('.graphql'));
  return buildASTSchema(concatAST(files.sort().map((name) => parse(readFileSync(join(folder, name), 'utf8')))));
}

/**
 * The executable schema: the contract, its resolvers, and `@auth` in front of them.
 * @throws Error naming the coordinate when a resolver has no field, a root field no resolver, a row's field neither a resolver nor a
 *   column, or `@auth` is missing
 */
export function createSchema(limits: ListLimits): GraphQLSchema {
  const schema = readContract();
  for (const [name, functions] of Object.entries(scalars)) {
    const type = schema.getType(name);
    if (!isScalarType(type)) throw new Error(`the schema has no scalar ${name}`);
    const { serialize, parseValue, parseLiteral } = functions;
    Object.assign(type, { serialize, parseValue, parseLiteral });
  }
  for (const [typeName, fields] of Object.entries(resolvers)) {
    const type = schema.getType(typeName);
    if (!isObjectType(type)) throw new Error(`${typeName} has resolvers and is no object type of the schema`);
    for (const [fieldName, resolve] of Object.entries(fields as object)) {
      const field = type.getFields()[fieldName];
      if (!field) throw new Error(`${typeName}.${fieldName} has a resolver and is not in the schema`);
      field.resolve = resolve as NonNullable<typeof field.resolve>;
    }
  }
  resolveCounts(schema);
  noteReads(schema);
  enforceAuth(schema, limits);
  return schema;
}

/**
 * A connection's counts are functions, called only when they are selected. graphql-js would call them by itself; compiled
 * queries read the properties of fields that have no resolver.
 */
function resolveCounts(schema: GraphQLSchema): void {
  for (const type of Object.values(schema.getTypeMap())) {
    if (!isObjectType(type) || !type.name.endsWith('Connection')) continue;
    for (const field of Object.values(type.getFields())) {
      if (field.name.startsWith('totalCount')) field.resolve ??= defaultFieldResolver;
    }
  }
}
