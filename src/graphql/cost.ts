import {
  getNamedType,
  isCompositeType,
  isInterfaceType,
  isObjectType,
  Kind,
  valueFromASTUntyped,
  type DocumentNode,
  type FieldNode,
  type FragmentDefinitionNode,
  type GraphQLField,
  type GraphQLNamedType,
  type GraphQLSchema,
  type OperationDefinitionNode,
  type SelectionNode,
  type SelectionSetNode,
} from 'graphql';

type Variables = Readonly<Record<string, unknown>>;

/** Points that an operation asks for, given its raw variables. */
export type CostOfOperation = (variables: Variables) => number;

/** Points of a selection set; `rows` is what stands in a connection's `edges` or `nodes` and counts once for each row. */
interface Points {
  readonly flat: number;
  readonly rows: number;
}

/** One evaluation: the variables, and what each fragment came to, so that a fragment bomb stays linear. */
interface Evaluation {
  readonly variables: Variables;
  readonly fragments: Map<string, Points>;
}

type PointsOf = (evaluation: Evaluation) => Points;

interface Compilation {
  readonly schema: GraphQLSchema;
  readonly operation: OperationDefinitionNode;
  readonly fragments: ReadonlyMap<string, FragmentDefinitionNode>;
  readonly compiled: Map<string, PointsOf>;
}

const nothing: Points = { flat: 0, rows: 0 };
const defaultPage = 20;
const largestPage = 100;
const mutationWeight = 10;

const compiledDocuments = new WeakMap<DocumentNode, Map<OperationDefinitionNode, CostOfOperation>>();

/**
 * The cost of an operation as a function of its variables, compiled once a document. A scalar costs 0, an object 1, a root
 * field of a mutation 10, or what `@cost(weight)` says; what stands in `edges` or `nodes` of a connection counts `first` or
 * `last` times (20 when neither is given, at most 100), a field with `ids` as often as there are ids. Everything is counted as
 * written, whether or not `@skip` leaves it out: an upper bound that needs no execution.
 */
export function compileCost(
  schema: GraphQLSchema,
  document: DocumentNode,
  operation: OperationDefinitionNode,
): CostOfOperation {
  const known = compiledDocuments.get(document) ?? new Map<OperationDefinitionNode, CostOfOperation>();
  compiledDocuments.set(document, known);
  const cached = known.get(operation);
  if (cached !== undefined) return cached;

  const fragments = new Map<string, FragmentDefinitionNode>();
  for (const node of document.definitions) {
    if (node.kind === Kind.FRAGMENT_DEFINITION) fragments.set(node.name.value, node);
  }
  const compilation: Compilation = { schema, operation, fragments, compiled: new Map() };
  const root = schema.getRootType(operation.operation);
  const pointsOf = compileSelections(compilation, operation.selectionSet, root ?? undefined);
  const cost: CostOfOperation = (variables) => pointsOf({ variables, fragments: new Map() }).flat;
  known.set(operation, cost);
  return cost;
}

function compileSelections(
  compilation: Compilation,
  { selections }: SelectionSetNode,
  parent: GraphQLNamedType | undefined,
): PointsOf {
  const parts = selections.map((node) => compileSelection(compilation, node, parent)).filter((part) => part !== free);
  if (parts.length === 0) return free;
  return (evaluation) => {
    let flat = 0;
    let rows = 0;
    for (const part of parts) {
      const points = part(evaluation);
      flat += points.flat;
      rows += points.rows;
    }
    return { flat, rows };
  };
}

const free: PointsOf = () => nothing;

function compileSelection(
  compilation: Compilation,
  node: SelectionNode,
  parent: GraphQLNamedType | undefined,
): PointsOf {
  if (node.kind === Kind.FIELD) return compileField(compilation, node, parent);
  if (node.kind === Kind.FRAGMENT_SPREAD) return compileFragment(compilation, node.name.value);
  const type = node.typeCondition && compilation.schema.getType(node.typeCondition.name.value);
  return compileSelections(compilation, node.selectionSet, type ?? parent);
}

function compileFragment(compilation: Compilation, name: string): PointsOf {
  const known = compilation.compiled.get(name);
  if (known !== undefined) return known;
  const fragment = compilation.fragments.get(name);
  if (fragment === undefined) return free;
  compilation.compiled.set(name, free); // Ends a cycle, which validation refuses anyway.
  const type = compilation.schema.getType(fragment.typeCondition.name.value);
  const inner = compileSelections(compilation, fragment.selectionSet, type);
  const pointsOf: PointsOf = (evaluation) => {
    const known = evaluation.fragments.get(name);
    if (known !== undefined) return known;
    const points = inner(evaluation);
    evaluation.fragments.set(name, points);
    return points;
  };
  compilation.compiled.set(name, pointsOf);
  return pointsOf;
}

function compileField(compilation: Compilation, node: FieldNode, parent: GraphQLNamedType | undefined): PointsOf {
  const field = isObjectType(parent) || isInterfaceType(parent) ? parent.getFields()[node.name.value] : undefined;
  if (parent === undefined || field === undefined) return free; // __typename, __schema, __type
  const type = getNamedType(field.type);
  const inner = node.selectionSet === undefined ? free : compileSelections(compilation, node.selectionSet, type);
  if (isConnection(parent) && (field.name === 'edges' || field.name === 'nodes')) {
    const row = field.name === 'nodes' ? 1 : 0; // An edge is free: the node in it counts.
    return (evaluation) => ({ flat: 0, rows: row + inner(evaluation).flat });
  }
  const own =
    weightOf(field) ?? (parent === compilation.schema.getMutationType() ? mutationWeight : +isCompositeType(type));
  if (own === 0 && inner === free) return free;
  const page = pageOf(compilation, node, field);
  const times = timesOf(compilation, node, field);
  return (evaluation) => {
    const { flat, rows } = inner(evaluation);
    const perField = own + flat + (rows === 0 ? 0 : rows * page(evaluation.variables));
    return { flat: perField * times(evaluation.variables), rows: 0 };
  };
}

/** The length of the page that is asked for; nonsense, which the resolver refuses, counts as the largest. */
function pageOf(compilation: Compilation, node: FieldNode, field: GraphQLField<unknown, unknown>): CostOfOperation {
  const first = argumentOf(compilation, node, field, 'first');
  const last = argumentOf(compilation, node, field, 'last');
  return (variables) => {
    const asked = first(variables) ?? last(variables) ?? defaultPage;
    return typeof asked === 'number' && asked >= 0 && asked <= largestPage ? asked : largestPage;
  };
}

function timesOf(compilation: Compilation, node: FieldNode, field: GraphQLField<unknown, unknown>): CostOfOperation {
  if (!field.args.some((argument) => argument.name === 'ids')) return () => 1;
  const ids = argumentOf(compilation, node, field, 'ids');
  return (variables) => {
    const given = ids(variables);
    return Array.isArray(given) ? given.length : 1;
  };
}

/** An argument's value by the rules of GraphQL: the literal, the variable, the variable's default, the argument's default. */
function argumentOf(
  { operation }: Compilation,
  node: FieldNode,
  field: GraphQLField<unknown, unknown>,
  name: string,
): (variables: Variables) => unknown {
  const defaultValue = field.args.find((argument) => argument.name === name)?.defaultValue;
  const given = node.arguments?.find((argument) => argument.name.value === name)?.value;
  if (given === undefined) return () => defaultValue;
  if (given.kind !== Kind.VARIABLE) {
    return (variables) => valueFromASTUntyped(given, { ...variables });
  }
  const variable = given.name.value;
  const definition = operation.variableDefinitions?.find((node) => node.variable.name.value === variable);
  const fallback = definition?.defaultValue && valueFromASTUntyped(definition.defaultValue);
  // `hasOwn`, as graphql-js asks: a variable named `constructor` must not be found on every object.
  return (variables) => (Object.hasOwn(variables, variable) ? variables[variable] : (fallback ?? defaultValue));
}

function isConnection(type: GraphQLNamedType): boolean {
  return isObjectType(type) && type.getFields().pageInfo !== undefined;
}

function weightOf(field: GraphQLField<unknown, unknown>): number | undefined {
  const directive = field.astNode?.directives?.find((node) => node.name.value === 'cost');
  const weight = directive?.arguments?.find((argument) => argument.name.value === 'weight')?.value;
  return weight?.kind === Kind.INT ? Number(weight.value) : undefined;
}
