import { isObjectType, type GraphQLField, type GraphQLSchema } from 'graphql';
import type { ResolversParentTypes } from '../generated/graphql.js';
import type { Column, NarrowModel, NarrowRow, ReadRow, RowWith } from '../kernel/columns.js';
import { fieldsOf } from '../kernel/rows.js';

/** Says of a resolver that it may read any column. */
export const ALL = 'ALL';

/** What a resolver declares; it stands at the function. */
interface Declared {
  /** Columns of its parent; absent: nobody said, so it may need any. */
  readsColumns?: readonly string[] | typeof ALL;
  /** Columns of rows that it loads, by model. */
  readsLoaded?: Partial<Record<NarrowModel, readonly string[]>>;
}

/** What a field needs of rows, for `columnsOf`. */
export interface FieldReads {
  /** The model of the row that the field's type stands for, and what of it; absent: no such row. */
  readonly own?: { readonly model: NarrowModel; readonly columns: readonly string[] };
  readonly loaded: Partial<Record<NarrowModel, readonly string[]>>;
}

type RowType = {
  [T in keyof ResolversParentTypes]: [ResolversParentTypes[T]] extends [ReadRow<NarrowModel>] ? T : never;
}[keyof ResolversParentTypes];

/** Types that stand for rows which may be read in part. The compiler knows from `codegen.ts` whether one is missing. */
const rowTypes = {
  License: 'License',
  ProductLicense: 'License',
  Customer: 'Customer',
  AuthenticatedIdentity: 'Customer',
  ProductOffering: 'ProductOffering',
} as const satisfies Record<RowType, NarrowModel>;

/**
 * A field's resolver with the columns that it reads of its parent, besides the key. Queries read no others of a row than those of
 * the fields that they ask for; the compiler refuses a resolver that reads a column that it did not declare.
 * @param columns `ALL`: any
 */
export function reads<M extends NarrowModel, const C extends Column<M>, Args, Context, Result>(
  model: M,
  columns: readonly C[] | typeof ALL,
  resolve: (row: RowWith<M, C>, args: Args, context: Context) => Result,
): (row: ReadRow<M>, args: Args, context: Context) => Result {
  return declared(resolve as unknown as (row: ReadRow<M>, args: Args, context: Context) => Result, {
    readsColumns: columns,
  });
}

/** Gives the declared columns of a row that was loaded. */
interface Seen<M extends NarrowModel, C extends Column<M>> {
  (row: NarrowRow<M>): RowWith<M, C>;
  (row: NarrowRow<M> | null): RowWith<M, C> | null;
}

/**
 * A field's resolver with the columns that it reads of rows which it loads.
 * @param make gets what makes the columns of such a row readable
 */
export function readsLoaded<M extends NarrowModel, const C extends Column<M>, Parent, Args, Context, Result>(
  model: M,
  columns: readonly C[],
  make: (seen: Seen<M, C>) => (parent: Parent, args: Args, context: Context) => Result,
): (parent: Parent, args: Args, context: Context) => Result {
  return declared(make(((row: unknown) => row) as Seen<M, C>), { readsLoaded: { [model]: columns } });
}

/** Notes down at a resolver what it reads. @throws Error when that stands there already: the second would hide the first */
export function declared<Resolve extends object>(resolve: Resolve, what: Declared): Resolve {
  const twice = Object.keys(what).find((name) => name in resolve);
  if (twice !== undefined) throw new Error(`a resolver has ${twice} already: give each field a function of its own`);
  return Object.assign(resolve, what);
}

/**
 * Notes down at each field what it needs: what its resolver declared; for a field without one the column of its name; for a
 * resolver that declared nothing all columns.
 * @throws Error naming the coordinate when a field of a row has neither a resolver nor a column, or declares what is none
 */
export function noteReads(schema: GraphQLSchema): void {
  for (const type of Object.values(schema.getTypeMap())) {
    if (!isObjectType(type)) continue;
    const model = (rowTypes as Partial<Record<string, NarrowModel>>)[type.name];
    for (const field of Object.values(type.getFields())) {
      const { readsLoaded } = (field.resolve ?? {}) as Declared;
      const own = model && { model, columns: ownColumns(model, field, `${type.name}.${field.name}`) };
      const reads: FieldReads = { own, loaded: readsLoaded ?? {} };
      if (own || readsLoaded) field.extensions = { ...field.extensions, reads };
    }
  }
}

function ownColumns(model: NarrowModel, field: GraphQLField<unknown, unknown>, coordinate: string): readonly string[] {
  const all = fieldsOf(model);
  if (!field.resolve) {
    if (all.includes(field.name)) return [field.name];
    throw new Error(`${coordinate} has neither a resolver nor a column`);
  }
  const { readsColumns = ALL } = field.resolve as Declared;
  if (readsColumns === ALL) return all;
  const unknown = readsColumns.find((column) => !all.includes(column));
  if (unknown !== undefined) throw new Error(`${coordinate} reads ${unknown}, which is no column of ${model}`);
  return readsColumns;
}
