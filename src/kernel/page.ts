import type { ColumnSet, NarrowModel, NarrowRow } from './columns.js';
import type { Condition, Placeholder } from './condition.js';
import { badCursor, badPage, cursorMark, cursorOf, cursorText, type Cursor } from './cursor.js';
import type { Database } from './database.js';
import { sqlStateOf } from './databaseError.js';
import { matches, pageQuery } from './listSql.js';
import type { Model, RowOf } from './rows.js';

export const MAX_PAGE = 100;
const DEFAULT_PAGE = 20;
/** Counting stops here: an exact count of a million rows costs more than anybody gains by it. */
export const COUNT_CAP = 10_000;

/** The four arguments of every list. */
export interface PageArgs {
  first?: number | null;
  after?: string | null;
  last?: number | null;
  before?: string | null;
}

/** An order: an indexed column or expression, with the type that its values are compared as. The id breaks ties. */
export interface ListOrder {
  readonly name: string;
  readonly expression: string;
  readonly type: 'timestamptz' | 'text' | 'bigint' | 'integer';
  readonly direction: 'ASC' | 'DESC';
}

/** Conditions that tell one part of a list from its others. */
export interface Alternative {
  readonly conditions: readonly Condition[];
  /** Few rows meet them, whatever the planner believes: they are found first and sorted after, never sought along the order. */
  readonly few?: boolean;
}

/** A list: which rows of which table, in which order. */
export interface ListSpec<M extends Model> {
  readonly model: M;
  /** Equality on the tenant's columns, and whatever else is always there. */
  readonly scope: Readonly<Record<string, string>>;
  readonly conditions: readonly Condition[];
  /**
   * Lists of further conditions of which each row meets at most one, as a whole: a disjunction, told apart so that an index can
   * serve each part in the list's order. Absent: none.
   */
  readonly alternatives?: readonly Alternative[];
  readonly order: ListOrder;
}

/** One page, in the shape that the SDL's connections have. Edges are made, and rows counted, when they are asked for. */
export interface Connection<Row> {
  readonly edges: { cursor: string; node: Row }[];
  nodes: Row[];
  pageInfo: { hasNextPage: boolean; hasPreviousPage: boolean; startCursor: string | null; endCursor: string | null };
  totalCount: () => Promise<number>;
  totalCountIsCapped: () => Promise<boolean>;
}

/** Which rows of a list a page holds. */
export interface Window {
  limit: number;
  backward: boolean;
  after: Cursor | null;
  before: Cursor | null;
}

type Keyed<Row> = Row & { __key: string; __order?: unknown; __parent?: string; id: string };

/**
 * One page of a list by keyset: page 10,000 costs what page 1 costs, and rows that share a timestamp are neither skipped nor
 * repeated.
 * @param columns what is read of the rows; absent: all
 * @throws ClientError BAD_USER_INPUT for sizes out of 1 to 100, `first` with `last`, or a cursor of another list or tenant
 */
export function listPage<M extends NarrowModel>(
  db: Database,
  list: ListSpec<M>,
  args: PageArgs,
  columns: ColumnSet<M>,
): Promise<Connection<NarrowRow<M>>>;
export function listPage<M extends Model>(
  db: Database,
  list: ListSpec<M>,
  args: PageArgs,
): Promise<Connection<RowOf<M>>>;
export async function listPage(
  db: Database,
  list: ListSpec<Model>,
  args: PageArgs,
  columns?: ColumnSet,
): Promise<Connection<object>> {
  const values: unknown[] = [];
  const place: Placeholder = (value) => `$${values.push(value)}`;
  const mark = markOf(list, null);
  const window = windowOf(args, mark);
  const text = pageQuery(list, window, { place, columns: columns?.list });
  const rows = await readRows<Keyed<object>>(db, text, values, window);
  return connectionOf(rows, window, mark, () => countRows(db, list));
}

/**
 * The same page for many parents in one statement: `licenses(first: 5)` of 50 customers is one LATERAL join.
 * @param parents their ids, and the column that points to them
 * @param columns what is read of the rows; absent: all
 * @returns a connection for each parent, in order
 */
export async function listPageByParent(
  db: Database,
  list: ListSpec<Model>,
  args: PageArgs,
  { column, ids: parentIds }: { column: string; ids: readonly string[] },
  columns?: ColumnSet,
): Promise<Connection<object>[]> {
  const values: unknown[] = [];
  const place: Placeholder = (value) => `$${values.push(value)}`;
  // A cursor belongs to one parent's list, so a page that starts at one has one parent only.
  const mark = markOf(list, args.after || args.before ? (parentIds[0] as string) : null);
  const window = windowOf(args, mark);
  const inner = pageQuery(list, window, { place, parent: `t.${column} = parent.id`, columns: columns?.list });
  const text = `SELECT parent.id AS "__parent", page.* FROM unnest(${place(parentIds)}::uuid[]) AS parent (id)
    CROSS JOIN LATERAL (${inner}) page`;
  const rows = await readRows<Keyed<object>>(db, text, values, window);
  const byParent = new Map<string, Keyed<object>[]>(parentIds.map((parentId) => [parentId, []]));
  for (const row of rows) byParent.get(row.__parent as string)?.push(row);
  const count = countByParent(db, list, column, parentIds);
  return parentIds.map((parentId) =>
    connectionOf(
      byParent.get(parentId) ?? [],
      window,
      markOf(list, parentId),
      async () => (await count()).get(parentId) ?? 0,
    ),
  );
}

function markOf<M extends Model>(list: ListSpec<M>, parentId: string | null): string {
  return cursorMark([list.model, list.scope, list.order.name, list.order.direction, parentId]);
}

function windowOf(args: PageArgs, mark: string): Window {
  const { first, last } = args;
  if (first != null && last != null) throw badPage('first', 'Give `first` or `last`, not both.');
  for (const [name, size] of Object.entries({ first, last })) {
    if (size != null && (size < 1 || size > MAX_PAGE)) throw badPage(name, `Give \`${name}\` from 1 to ${MAX_PAGE}.`);
  }
  return {
    limit: first ?? last ?? DEFAULT_PAGE,
    backward: last != null,
    after: cursorOf(args.after, 'after', mark),
    before: cursorOf(args.before, 'before', mark),
  };
}

/** What PostgreSQL says of a value that it cannot read as a column's type. */
const UNREADABLE = new Set(['22003', '22007', '22008', '22P02']);

/** Reads a page. That a cursor with a right mark holds a made-up key shows only when PostgreSQL reads it. */
async function readRows<Row extends object>(
  db: Database,
  text: string,
  values: unknown[],
  window: Window,
): Promise<Row[]> {
  try {
    return await db.sql<Row>(null, text, values);
  } catch (error) {
    const argument = window.after ? 'after' : window.before ? 'before' : null;
    if (argument !== null && UNREADABLE.has(sqlStateOf(error) ?? '')) throw badCursor(argument);
    throw error;
  }
}

function connectionOf<Row extends { id?: unknown }>(
  found: Keyed<Row>[],
  window: Window,
  mark: string,
  count: () => Promise<number>,
): Connection<Row> {
  const more = found.length > window.limit;
  const page = found.slice(0, window.limit);
  if (window.backward) page.reverse();
  const cursorOfRow = (row: Keyed<Row> | undefined) => (row ? cursorText(mark, { key: row.__key, id: row.id }) : null);
  let counted: Promise<number> | undefined;
  const total = () => (counted ??= count());
  return {
    get edges() {
      return page.map((node) => ({ cursor: cursorOfRow(node) as string, node }));
    },
    nodes: page,
    pageInfo: {
      hasNextPage: window.backward ? window.before !== null : more,
      hasPreviousPage: window.backward ? more : window.after !== null,
      startCursor: cursorOfRow(page[0]),
      endCursor: cursorOfRow(page.at(-1)),
    },
    totalCount: async () => Math.min(await total(), COUNT_CAP),
    totalCountIsCapped: async () => (await total()) > COUNT_CAP,
  };
}

async function countRows<M extends Model>(db: Database, list: ListSpec<M>): Promise<number> {
  const values: unknown[] = [];
  const rows = matches(list, (value) => `$${values.push(value)}`, null);
  const text = `SELECT count(*)::int AS count FROM (${rows} LIMIT ${COUNT_CAP + 1}) counted`;
  const [row] = await db.sql<{ count: number }>(null, text, values);
  return row?.count ?? 0;
}

/** Counts all parents' lists in one statement, when the first of them asks. */
function countByParent<M extends Model>(
  db: Database,
  list: ListSpec<M>,
  column: string,
  parentIds: readonly string[],
): () => Promise<Map<string, number>> {
  let counted: Promise<Map<string, number>> | undefined;
  const count = async () => {
    const values: unknown[] = [];
    const place: Placeholder = (value) => `$${values.push(value)}`;
    const matching = matches(list, place, `t.${column} = parent.id`);
    const text = `SELECT parent.id, counted.count FROM unnest(${place(parentIds)}::uuid[]) AS parent (id)
      CROSS JOIN LATERAL (SELECT count(*)::int AS count FROM (${matching} LIMIT ${COUNT_CAP + 1}) c) counted`;
    const rows = await db.sql<{ id: string; count: number }>(null, text, values);
    return new Map(rows.map((row) => [row.id, row.count]));
  };
  return () => (counted ??= count());
}
