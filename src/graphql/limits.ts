import {
  GraphQLError,
  Kind,
  type DocumentNode,
  type FragmentDefinitionNode,
  type OperationDefinitionNode,
  type SelectionNode,
  type SelectionSetNode,
  type ValidationRule,
} from 'graphql';

/** Bounds on the shape of one operation, counted through its fragments as if they were written out. */
export interface ShapeLimits {
  /** Levels of fields, leaves included. */
  readonly depth: number;
  readonly aliases: number;
  /** Different response names at the root; also bounds the operations of a document. */
  readonly rootFields: number;
  readonly directives: number;
}

/** What `getIntrospectionQuery()` of graphql-js, and with it every IDE and code generator, needs below `__schema`. */
const introspectionDepth = 15;

/** What a selection set comes to, its fragments written out. Sums may be astronomic, never slow: each fragment is measured once. */
interface Shape {
  readonly depth: number;
  /** Depth below and with `__schema` and `__type`, which have a limit of their own. */
  readonly introspectionDepth: number;
  readonly aliases: number;
  readonly directives: number;
  /** Response names at the top of the selection set. */
  readonly names: ReadonlySet<string>;
}

const empty: Shape = { depth: 0, introspectionDepth: 0, aliases: 0, directives: 0, names: new Set() };

/**
 * One validation rule for depth, aliases, root fields and directives, in time linear in the document: a fragment bomb is
 * refused before anything is executed. Each limit is reported at most once, as `DEPTH_LIMIT`, `ALIAS_LIMIT`,
 * `ROOT_FIELD_LIMIT`, `DIRECTIVE_LIMIT` or `OPERATION_LIMIT`.
 */
export function limitsRule(limits: ShapeLimits): ValidationRule {
  return (context) => ({
    Document: (document) => {
      for (const error of checkLimits(document, limits)) context.reportError(error);
      return false;
    },
  });
}

/** The limits that a document breaks; empty when it keeps them all. */
export function checkLimits(document: DocumentNode, limits: ShapeLimits): GraphQLError[] {
  const measure = shapeMeasurer(document);
  const operations = document.definitions.filter((node) => node.kind === Kind.OPERATION_DEFINITION);
  const broken = new Map<string, GraphQLError>();
  const check = (code: string, what: string, value: number, limit: number, node?: OperationDefinitionNode) => {
    if (value <= limit || broken.has(code)) return;
    const message = `The ${what}; the limit is ${limit}.`;
    // Apollo Server overwrites `code` of validation errors; formatError puts this one in its place.
    broken.set(code, new GraphQLError(message, { nodes: node, extensions: { validationErrorCode: code } }));
  };
  check('OPERATION_LIMIT', 'document holds too many operations', operations.length, limits.rootFields);
  for (const operation of operations) {
    const shape = measure(operation.selectionSet);
    const directives = shape.directives + (operation.directives?.length ?? 0);
    check('DEPTH_LIMIT', 'operation is too deep', shape.depth, limits.depth, operation);
    check('DEPTH_LIMIT', 'introspection is too deep', shape.introspectionDepth, introspectionDepth, operation);
    check('ALIAS_LIMIT', 'operation has too many aliases', shape.aliases, limits.aliases, operation);
    check('ROOT_FIELD_LIMIT', 'operation has too many root fields', shape.names.size, limits.rootFields, operation);
    check('DIRECTIVE_LIMIT', 'operation has too many directives', directives, limits.directives, operation);
  }
  return [...broken.values()];
}

function shapeMeasurer(document: DocumentNode): (selections: SelectionSetNode) => Shape {
  const fragments = new Map<string, FragmentDefinitionNode>();
  for (const node of document.definitions) {
    if (node.kind === Kind.FRAGMENT_DEFINITION) fragments.set(node.name.value, node);
  }
  const measured = new Map<string, Shape>();

  const measureFragment = (name: string): Shape => {
    const known = measured.get(name);
    if (known !== undefined) return known;
    measured.set(name, empty); // Ends a cycle, which another rule reports.
    const fragment = fragments.get(name);
    const shape = fragment === undefined ? empty : measureSet(fragment.selectionSet);
    measured.set(name, shape);
    return shape;
  };
  const measureSelection = (node: SelectionNode): Shape => {
    if (node.kind === Kind.FRAGMENT_SPREAD) return measureFragment(node.name.value);
    if (node.kind === Kind.INLINE_FRAGMENT) return measureSet(node.selectionSet);
    const below = node.selectionSet === undefined ? empty : measureSet(node.selectionSet);
    const introspects = node.name.value === '__schema' || node.name.value === '__type';
    return {
      depth: introspects ? 0 : below.depth + 1,
      introspectionDepth: introspects ? below.depth + 1 : below.introspectionDepth,
      aliases: below.aliases + (node.alias === undefined ? 0 : 1),
      directives: below.directives,
      names: new Set([node.alias?.value ?? node.name.value]),
    };
  };
  const measureSet = ({ selections }: SelectionSetNode): Shape => {
    const total = { depth: 0, introspectionDepth: 0, aliases: 0, directives: 0, names: new Set<string>() };
    for (const node of selections) {
      const shape = measureSelection(node);
      total.depth = Math.max(total.depth, shape.depth);
      total.introspectionDepth = Math.max(total.introspectionDepth, shape.introspectionDepth);
      total.aliases += shape.aliases;
      total.directives += shape.directives + (node.directives?.length ?? 0);
      for (const name of shape.names) total.names.add(name);
    }
    return total;
  };
  return measureSet;
}
