import {
  getNamedType,
  isAbstractType,
  isObjectType,
  Kind,
  OperationTypeNode,
  type DocumentNode,
  type FieldNode,
  type FragmentDefinitionNode,
  type GraphQLNamedType,
  type GraphQLObjectType,
  type GraphQLSchema,
  type OperationDefinitionNode,
  type SelectionSetNode,
} from 'graphql';
import { columnSet, wholeRows, type Columns, type ColumnSets, type NarrowModel } from '../kernel/columns.js';
import type { FieldReads } from './reads.js';

type Needed = Record<NarrowModel, Set<string>>;

/**
 * The columns that a query can need besides keys, by model: those of all fields that it asks for, through fragments and whatever `@skip` and
 * `@include` say. A field below an interface or a union counts for each type that may stand there, a fragment wherever it is used.
 * Mutations read whole rows.
 */
export function columnsOfOperation(
  schema: GraphQLSchema,
  document: DocumentNode,
  operation: OperationDefinitionNode,
  setOf: ColumnSets = columnSet,
): Columns {
  const root = schema.getRootType(operation.operation);
  if (operation.operation !== OperationTypeNode.QUERY || !root) return wholeRows;
  const needed: Needed = { License: new Set(), Customer: new Set(), ProductOffering: new Set() };
  const walk = (type: GraphQLNamedType | undefined, { selections }: SelectionSetNode): void => {
    for (const node of selections) {
      if (node.kind === Kind.FIELD) {
        for (const possible of possibleTypes(schema, type)) note(needed, possible, node);
        const inner = node.selectionSet && typeOf(type, node);
        if (inner) walk(inner, node.selectionSet);
      } else if (node.kind === Kind.INLINE_FRAGMENT) {
        walk(node.typeCondition ? schema.getType(node.typeCondition.name.value) : type, node.selectionSet);
      }
    }
  };
  walk(root, operation.selectionSet);
  // Fragments of other operations count too, at no harm: what a document defines it uses.
  for (const node of fragmentsOf(document)) walk(schema.getType(node.typeCondition.name.value), node.selectionSet);
  return {
    License: setOf('License', needed.License),
    Customer: setOf('Customer', needed.Customer),
    ProductOffering: setOf('ProductOffering', needed.ProductOffering),
  };
}

function fragmentsOf({ definitions }: DocumentNode): FragmentDefinitionNode[] {
  return definitions.filter((node) => node.kind === Kind.FRAGMENT_DEFINITION);
}

function possibleTypes(schema: GraphQLSchema, type: GraphQLNamedType | undefined): readonly GraphQLObjectType[] {
  return isAbstractType(type) ? schema.getPossibleTypes(type) : isObjectType(type) ? [type] : [];
}

/** The type of what a field gives; undefined: it is of the schema's description of itself. */
function typeOf(type: GraphQLNamedType | undefined, { name }: FieldNode): GraphQLNamedType | undefined {
  const field = type && 'getFields' in type ? type.getFields()[name.value] : undefined;
  return field && getNamedType(field.type);
}

function note(needed: Needed, type: GraphQLObjectType, { name }: FieldNode): void {
  const reads = type.getFields()[name.value]?.extensions.reads as FieldReads | undefined;
  if (!reads) return;
  for (const column of reads.own?.columns ?? []) needed[(reads.own as { model: NarrowModel }).model].add(column);
  for (const [model, columns] of Object.entries(reads.loaded)) {
    for (const column of columns) needed[model as NarrowModel].add(column);
  }
}

/** What an operation reads, found out when it first runs. */
export type ColumnsOf = (document: DocumentNode, operation: OperationDefinitionNode) => Columns;

/** Remembers what operations read, for as long as their documents are. */
export function createColumnsOf(schema: GraphQLSchema): ColumnsOf {
  const known = new WeakMap<OperationDefinitionNode, Columns>();
  return (document, operation) => {
    let columns = known.get(operation);
    if (columns === undefined) {
      columns = columnsOfOperation(schema, document, operation);
      known.set(operation, columns);
    }
    return columns;
  };
}
