import { columnName, fieldsOf, type RowOf } from './rows.js';

/** Columns that a row always has, however little of it is read: its key, by which loaders and cursors find it. */
const kept = {
  License: ['businessId', 'mode', 'id'],
  Customer: ['businessId', 'mode', 'id'],
  ProductOffering: ['businessId', 'id'],
} as const;

/** Models whose rows queries read in part. */
export type NarrowModel = keyof typeof kept;

/** A column of such a model. */
export type Column<M extends NarrowModel> = keyof RowOf<M> & string;

/** Columns of a model that are always there, with those that were asked for. */
export type RowWith<M extends NarrowModel, C extends Column<M>> = Pick<RowOf<M>, C | KeptColumn<M>>;

type KeptColumn<M extends NarrowModel> = (typeof kept)[M][number] & Column<M>;

declare const narrow: unique symbol;

/** A row that was read in part: only its key can be relied upon. What else it has is for the resolvers that declared it. */
export type NarrowRow<M extends NarrowModel> = Pick<RowOf<M>, KeptColumn<M>> & { readonly [narrow]: M };

/** A row as resolvers get it: read in part or as a whole. Nothing less will do, such as an object with some columns. */
export type ReadRow<M extends NarrowModel> = NarrowRow<M> | RowOf<M>;

/** Which columns of a model are read; the same set is always the same object. */
export interface ColumnSet<M extends NarrowModel = NarrowModel> {
  readonly model: M;
  /** In the model's order. */
  readonly columns: readonly string[];
  /** What tells statements with these columns from others of the process, as a part of their names; empty: whole rows. */
  readonly mark: string;
  /** The select list that reads them in camelCase from `t`. */
  readonly list: string;
}

/** What a request reads of each of these models. */
export type Columns = { readonly [M in NarrowModel]: ColumnSet<M> };

function setOf<M extends NarrowModel>(model: M, columns: readonly string[], mark: string): ColumnSet<M> {
  const list = columns.map((field) => `t.${columnName(field)} AS "${field}"`).join(', ');
  return { model, columns, mark, list };
}

/** Every column of every model: what is read where nobody has said which are needed. */
export const wholeRows: Columns = {
  License: setOf('License', fieldsOf('License'), ''),
  Customer: setOf('Customer', fieldsOf('Customer'), ''),
  ProductOffering: setOf('ProductOffering', fieldsOf('ProductOffering'), ''),
};

/** @returns the models' names */
export const narrowModels = Object.keys(kept) as readonly NarrowModel[];

/** As many sets of a model a process tells apart: PostgreSQL keeps a few prepared statements of each, on every connection. */
const MAX_SETS = 50;

let marks = 0;

/** The set of a model's columns that has these; the key's are added. */
export type ColumnSets = <M extends NarrowModel>(model: M, columns: Iterable<string>) => ColumnSet<M>;

/**
 * Makes sets of columns, each once. Names that are no columns of the model are refused, so that nothing else gets into SQL. When
 * there are too many sets, the smallest known one that has the columns takes the new one's place; whole rows have all of them.
 */
export function createColumnSets(maxSets = MAX_SETS): ColumnSets {
  const known = new Map<NarrowModel, Map<string, ColumnSet>>(narrowModels.map((model) => [model, new Map()]));
  return <M extends NarrowModel>(model: M, columns: Iterable<string>): ColumnSet<M> => {
    const asked = new Set<string>([...kept[model], ...columns]);
    const all = fieldsOf(model);
    const chosen = all.filter((field) => asked.has(field));
    if (chosen.length < asked.size) throw new Error(`${model} has not all of the columns ${[...asked].join(', ')}`);
    const whole: ColumnSet = wholeRows[model];
    if (chosen.length === all.length) return whole as ColumnSet<M>;
    const sets = known.get(model) as Map<string, ColumnSet>;
    const key = chosen.join();
    const same = sets.get(key);
    if (same) return same as ColumnSet<M>;
    if (sets.size >= maxSets) return smallestWith(chosen, [...sets.values()], whole) as ColumnSet<M>;
    const made = setOf(model, chosen, `_c${++marks}`);
    sets.set(key, made);
    return made;
  };
}

function smallestWith(columns: readonly string[], sets: readonly ColumnSet[], whole: ColumnSet): ColumnSet {
  const hasAll = ({ columns: its }: ColumnSet) => columns.every((column) => its.includes(column));
  return sets.filter(hasAll).reduce((best, set) => (set.columns.length < best.columns.length ? set : best), whole);
}

/** The process's sets. */
export const columnSet = createColumnSets();
