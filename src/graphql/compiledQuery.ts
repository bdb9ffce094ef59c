import {
  getNamedType,
  GraphQLError,
  isInputObjectType,
  isListType,
  isNonNullType,
  Kind,
  OperationTypeNode,
  typeFromAST,
  visit,
  type GraphQLInputType,
  type NamedTypeNode,
  type TypeNode,
  type DocumentNode,
  type ExecutionResult,
  type GraphQLSchema,
  type OperationDefinitionNode,
} from 'graphql';
import { compileQuery, isCompiledQuery } from 'graphql-jit';
import { compiledSize } from './compiledSize.js';
import type { Asked, ExecutionContext } from './executor.js';

/** Executes a query that was compiled; undefined: its variables do not fit, and nothing was resolved. */
type CompiledQuery = (
  variables: Record<string, unknown>,
  execution: ExecutionContext,
) => ExecutionResult | Promise<ExecutionResult | undefined> | undefined;

/** The compilation of what is asked for; null: it is to be interpreted. */
export type QueryCompiler = (asked: Asked) => CompiledQuery | null;

/** After as many executions a query is worth its compilation, which takes milliseconds. */
const EXECUTIONS = 3;

/** A query of more selections, written out, stays interpreted: its compilation would hold everybody up. */
const MAX_SIZE = 1_000;
/** Selections of all compiled queries together; they take some megabytes a thousand. */
const MAX_TOTAL_SIZE = 10_000;

/** What is known of an operation: how often it ran, then its compilation, or null where it may not be. */
interface State {
  executions: number;
  query?: CompiledQuery | null;
}

/**
 * Queries compiled into functions of their variables. Not compiled, because graphql-jit does them wrong or differently:
 * mutations, variables inside of lists and objects that may be omitted, input types with `@oneOf`, and directives on fragments or
 * on a field that comes more than once (left out at one place, it moves at the other); and what is too large. Forgets the ones
 * that were not asked for the longest, to stay within a total size.
 */
export function createQueryCompiler(schema: GraphQLSchema, maxTotalSize = MAX_TOTAL_SIZE): QueryCompiler {
  const states = new WeakMap<DocumentNode, Map<string | undefined, State>>();
  const keep = createKeeper(maxTotalSize);
  return ({ document, operation, operationName }) => {
    if (operation?.operation !== OperationTypeNode.QUERY) return null;
    const operations = states.get(document) ?? new Map<string | undefined, State>();
    states.set(document, operations);
    const state = operations.get(operationName) ?? { executions: 0 };
    operations.set(operationName, state);
    if (state.query === undefined && ++state.executions > EXECUTIONS) {
      const size = compiledSize(schema, document, operation, MAX_SIZE);
      state.query = size > MAX_SIZE ? null : compile(schema, document, operation);
      if (state.query) keep(state, size);
    } else if (state.query) keep(state);
    return state.query ?? null;
  };
}

/** Counts compiled queries in and, from the one that was used the longest ago, out again. */
function createKeeper(maxTotalSize: number): (state: State, size?: number) => void {
  const sizes = new Map<State, number>();
  let total = 0;
  return (state, size = sizes.get(state) ?? 0) => {
    total += size - (sizes.get(state) ?? 0);
    sizes.delete(state);
    sizes.set(state, size); // The map's order is the order of last use.
    for (const [oldest, its] of sizes) {
      if (total <= maxTotalSize || oldest === state) break;
      sizes.delete(oldest);
      total -= its;
      oldest.query = undefined;
      oldest.executions = 0;
    }
  };
}

function compile(
  schema: GraphQLSchema,
  document: DocumentNode,
  { name, variableDefinitions = [] }: OperationDefinitionNode,
): CompiledQuery | null {
  if (!isCompilable(schema, document)) return null;
  const compiled = compileQuery(schema, document, name?.value, { disablingCapturingStackErrors: true });
  if (!isCompiledQuery(compiled)) return null;
  const switches = variablesOfDirectives(document);
  const objects = variableDefinitions.flatMap(({ variable, type }) => {
    const its = typeFromAST(schema, type as NamedTypeNode) as GraphQLInputType;
    return isInputObjectType(getNamedType(its)) ? [{ name: variable.name.value, hasList: listFinder(its) }] : [];
  });
  const defaults = new Map(
    variableDefinitions.map(({ variable, defaultValue }) => [variable.name.value, defaultValue]),
  );
  const isNull = (variables: Record<string, unknown>, name: string) =>
    variables[name] === undefined ? (defaults.get(name)?.kind ?? Kind.NULL) === Kind.NULL : variables[name] === null;
  return (variables, execution) => {
    // graphql-jit takes a list for an input object, and null for a directive, which is an error, for false.
    if (objects.some(({ name, hasList }) => hasList(variables[name]))) return undefined;
    if (switches.some((name) => isNull(variables, name))) return undefined;
    const result = compiled.query(undefined, execution, variables);
    return result instanceof Promise ? result.then(unlessRefused) : unlessRefused(result);
  };
}

/** Tells whether a list stands somewhere in a value of a type where the type has an input object. */
function listFinder(type: GraphQLInputType, finders = new Map<unknown, ListFinder>()): ListFinder {
  if (isNonNullType(type)) return listFinder(type.ofType, finders);
  if (isListType(type)) {
    const inItem = listFinder(type.ofType, finders);
    return (value) => (Array.isArray(value) ? value.some(inItem) : inItem(value));
  }
  if (!isInputObjectType(type)) return () => false;
  const known = finders.get(type);
  if (known) return known;
  const fields: [string, ListFinder][] = [];
  const finder = (value: unknown) => {
    if (typeof value !== 'object' || value === null) return false;
    if (Array.isArray(value)) return true;
    return fields.some(([name, inField]) => inField((value as Record<string, unknown>)[name]));
  };
  finders.set(type, finder); // Before its fields are looked at: types may contain themselves.
  for (const field of Object.values(type.getFields())) {
    if (isInputObjectType(getNamedType(field.type))) fields.push([field.name, listFinder(field.type, finders)]);
  }
  return finder;
}

type ListFinder = (value: unknown) => boolean;

/** Without data nothing was resolved: graphql-js shall say in its own words what is wrong with the variables. */
function unlessRefused(result: ExecutionResult): ExecutionResult | undefined {
  if (result.data === undefined) return undefined;
  return result.errors ? { ...result, errors: result.errors.map(asGraphQLError) } : result;
}

/** graphql-jit has errors of its own, without `extensions` where the resolver's error had none. */
function asGraphQLError({ message, path, locations, originalError }: GraphQLError): GraphQLError {
  const error = new GraphQLError(message, { path, originalError });
  return Object.assign(error, { locations });
}

/** Variables inside of lists and objects must not be omitted, for they would arrive as null there; and directives be simple. */
function isCompilable(schema: GraphQLSchema, document: DocumentNode): boolean {
  const omissible = new Set<string>();
  let inside = 0;
  let compilable = true;
  const [keys, repeated, conditional] = [new Set<string>(), new Set<string>(), new Set<string>()];
  const isUnconditional = ({ directives = [] }: { readonly directives?: readonly unknown[] }) => {
    if (directives.length > 0) compilable = false;
  };
  const nested = { enter: () => void inside++, leave: () => void inside-- };
  visit(document, {
    VariableDefinition: ({ type, variable, defaultValue }) => {
      if (type.kind !== Kind.NON_NULL_TYPE && !defaultValue) omissible.add(variable.name.value);
      const input = schema.getType(nameOf(type));
      if (isInputObjectType(input) && hasOneOf(input, new Set())) compilable = false;
      return false;
    },
    ListValue: nested,
    ObjectValue: nested,
    Field: ({ name, alias, directives = [] }) => {
      const key = (alias ?? name).value;
      if (directives.length > 0) conditional.add(key);
      if (keys.has(key)) repeated.add(key);
      keys.add(key);
    },
    FragmentSpread: isUnconditional,
    InlineFragment: isUnconditional,
    Variable: ({ name }) => {
      if (inside > 0 && omissible.has(name.value)) compilable = false;
    },
  });
  return compilable && ![...conditional].some((key) => repeated.has(key));
}

function variablesOfDirectives(document: DocumentNode): string[] {
  const names: string[] = [];
  visit(document, {
    Directive: ({ arguments: given = [] }) => {
      for (const { value } of given) if (value.kind === Kind.VARIABLE) names.push(value.name.value);
    },
  });
  return names;
}

function nameOf(type: TypeNode): string {
  return type.kind === Kind.NAMED_TYPE ? type.name.value : nameOf(type.type);
}

function hasOneOf(type: unknown, seen: Set<unknown>): boolean {
  if (!isInputObjectType(type) || seen.has(type)) return false;
  seen.add(type);
  return type.isOneOf || Object.values(type.getFields()).some((field) => hasOneOf(getNamedType(field.type), seen));
}
