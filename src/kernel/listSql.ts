import type { Placeholder } from './condition.js';
import type { Cursor } from './cursor.js';
import type { Alternative, ListSpec, Window } from './page.js';
import { columnsOf, tables, type Model } from './rows.js';

/** What goes into a page's statement besides the list. */
interface PageParts {
  readonly place: Placeholder;
  /** The condition that ties rows to one parent. */
  readonly parent?: string;
  /** The select list over `t`, with `t.id`; absent: of whole rows. */
  readonly columns?: string;
}

/** A page of a list as a statement; the cursor's key comes as `__key`. */
export function pageQuery<M extends Model>(
  list: ListSpec<M>,
  window: Window,
  { place, parent, columns: listed = columnsOf(list.model, 't') }: PageParts,
): string {
  const { expression, type, direction } = list.order;
  const forward = direction === 'ASC';
  const beyond = (cursor: Cursor, greater: boolean) =>
    `(${expression}, t.id) ${greater ? '>' : '<'} (${place(cursor.key)}::${type}, ${place(cursor.id)}::uuid)`;
  const bounds: string[] = [];
  if (window.after) bounds.push(beyond(window.after, forward));
  if (window.before) bounds.push(beyond(window.before, !forward));
  const way = forward !== window.backward ? 'ASC' : 'DESC';
  const columns = `${listed}, (${expression})::text AS "__key"`;
  const limit = `LIMIT ${window.limit + 1}`;
  const pageOf = (part: Part, more = '') => `SELECT ${columns}${more} FROM ${sourceOf(list, part, bounds)}
    ORDER BY ${expression} ${way}, t.id ${way} ${limit}`;
  const [only, ...others] = filters(list, place, parent ?? null);
  if (only && others.length === 0) return pageOf(only);
  // The first rows of each part hold the first rows of all.
  const parts = [only as Part, ...others].map((part) => `(${pageOf(part, `, ${expression} AS "__order"`)})`);
  return `SELECT * FROM (${parts.join(' UNION ALL ')}) part ORDER BY "__order" ${way}, id ${way} ${limit}`;
}

/** A part of a list as SQL. */
interface Part {
  readonly conditions: readonly string[];
  readonly few: boolean;
}

/**
 * The rows of a part within bounds, as what stands after FROM. OFFSET 0 keeps PostgreSQL from seeking few rows along an order, or
 * from where a page begins.
 */
function sourceOf<M extends Model>({ model }: ListSpec<M>, { conditions, few }: Part, bounds: string[]): string {
  if (!few) return `${tables[model]} t WHERE ${[...conditions, ...bounds].join(' AND ')}`;
  const found = `(SELECT * FROM ${tables[model]} t WHERE ${conditions.join(' AND ')} OFFSET 0) t`;
  return bounds.length > 0 ? `${found} WHERE ${bounds.join(' AND ')}` : found;
}

/** The conditions of a list; several lists of them where it has alternatives. */
function filters<M extends Model>(list: ListSpec<M>, place: Placeholder, parent: string | null): Part[] {
  const always = [
    ...Object.entries(list.scope).map(([column, value]) => `t.${column} = ${place(value)}`),
    ...(parent ? [parent] : []),
    ...list.conditions.map((condition) => condition(place)),
  ];
  const alternatives: readonly Alternative[] = list.alternatives ?? [{ conditions: [] }];
  return alternatives.map(({ conditions, few = false }) => {
    return { conditions: [...always, ...conditions.map((condition) => condition(place))], few };
  });
}

/** Rows of a list, each as 1, for counting. */
export function matches<M extends Model>(list: ListSpec<M>, place: Placeholder, parent: string | null): string {
  const parts = filters(list, place, parent);
  return parts.map((part) => `SELECT 1 FROM ${sourceOf(list, part, [])}`).join(' UNION ALL ');
}
