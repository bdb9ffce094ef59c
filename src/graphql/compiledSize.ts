import {
  getNamedType,
  isAbstractType,
  isObjectType,
  Kind,
  typeFromAST,
  type DocumentNode,
  type GraphQLObjectType,
  type GraphQLSchema,
  type OperationDefinitionNode,
  type SelectionNode,
  type SelectionSetNode,
} from 'graphql';

/**
 * How many selections a query has once it is compiled: fragments written out, and all below an interface or a union again for each
 * type that may stand there. Each takes some kilobytes and a tenth of a millisecond. Counts no further than to just above the limit.
 */
export function compiledSize(
  schema: GraphQLSchema,
  document: DocumentNode,
  operation: OperationDefinitionNode,
  limit: number,
): number {
  const fragments = new Map(
    document.definitions.flatMap((node) => (node.kind === Kind.FRAGMENT_DEFINITION ? [[node.name.value, node]] : [])),
  );
  let size = 0;
  const within = (type: unknown, set: SelectionSetNode): void => {
    const types = isAbstractType(type) ? schema.getPossibleTypes(type) : isObjectType(type) ? [type] : [];
    // The schema's description of itself is not counted, and not worth a compilation.
    if (types.length === 0) size = limit + 1;
    for (const possible of types) {
      for (const selection of set.selections) {
        if (size > limit) return;
        count(possible, selection);
      }
    }
  };
  const count = (type: GraphQLObjectType, selection: SelectionNode): void => {
    size++;
    if (selection.kind === Kind.FIELD) {
      const field = type.getFields()[selection.name.value];
      if (selection.selectionSet) within(field && getNamedType(field.type), selection.selectionSet);
      return;
    }
    const fragment = selection.kind === Kind.FRAGMENT_SPREAD ? fragments.get(selection.name.value) : selection;
    const on = fragment?.typeCondition && typeFromAST(schema, fragment.typeCondition);
    const applies = !on || on === type || (isAbstractType(on) && schema.isSubType(on, type));
    if (fragment && applies) within(type, fragment.selectionSet);
  };
  within(schema.getRootType(operation.operation), operation.selectionSet);
  return size;
}
