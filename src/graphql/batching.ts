import DataLoader from 'dataloader';
import type { ColumnSet, NarrowModel, NarrowRow } from '../kernel/columns.js';
import type { Connection, ListSpec, PageArgs } from '../kernel/page.js';
import { listPageByParent } from '../kernel/page.js';
import { tenantOf, type RequestContext } from '../kernel/requestContext.js';
import { columnName, columnsOf, tables, type Model, type RowOf } from '../kernel/rows.js';
import { scopeOf } from '../kernel/tenancy.js';

/**
 * Rows by id: one statement for all ids that a request asks for in one turn; null for what the viewer cannot see. One id has a
 * statement of its own: of a list PostgreSQL takes the length into account and plans anew each time, which takes longer than to
 * read a row.
 * @param columns what is read of the rows; absent: all
 */
export function loadOne<M extends NarrowModel>(
  ctx: RequestContext,
  model: M,
  columns: ColumnSet<M>,
): DataLoader<string, NarrowRow<M> | null>;
export function loadOne<M extends Model>(ctx: RequestContext, model: M): DataLoader<string, RowOf<M> | null>;
export function loadOne(ctx: RequestContext, model: Model, columns?: ColumnSet): DataLoader<string, object | null> {
  const list = columns?.list ?? columnsOf(model, 't');
  const mark = columns?.mark ?? '';
  return new DataLoader(async (ids) => {
    const isAlone = ids.length === 1;
    const condition = isAlone ? 't.id = ?::uuid' : 't.id = ANY(?::uuid[])';
    const { text, values } = scoped(ctx, model, { list, condition, value: isAlone ? ids[0] : ids });
    const name = `${isAlone ? 'one' : 'some'}_${model}_${values.length}${mark}`;
    const rows = await ctx.db.sql<{ id: string }>(name, text, values);
    const byId = new Map(rows.map((row) => [row.id, row]));
    return ids.map((id) => byId.get(id) ?? null);
  });
}

/**
 * Rows by a foreign key, in an order: one statement for all parents. For short lists; long ones are connections.
 * @param where a further condition over the rows `t`; one for each model and key
 */
export function loadMany<M extends Model>(
  ctx: RequestContext,
  model: M,
  foreignKey: keyof RowOf<M> & string,
  order = 't.created_at, t.id',
  where = 'true',
): DataLoader<string, RowOf<M>[]> {
  return new DataLoader(async (parentIds) => {
    const condition = `t.${columnName(foreignKey)} = ANY(?::uuid[])`;
    const { text, values } = scoped(ctx, model, { list: columnsOf(model, 't'), condition, value: parentIds });
    const name = `many_${model}_${foreignKey}_${values.length}`;
    const rows = await ctx.db.sql<RowOf<M>>(name, `${text} AND ${where} ORDER BY ${order}`, values);
    const byParent = new Map<unknown, RowOf<M>[]>(parentIds.map((parentId) => [parentId, []]));
    for (const row of rows) byParent.get(row[foreignKey])?.push(row);
    return parentIds.map((parentId) => byParent.get(parentId) ?? []);
  });
}

/** What selects columns of a model's rows that the viewer may see and that a condition holds for; `?` stands for its one value. */
function scoped(
  ctx: RequestContext,
  model: Model,
  { list, condition, value }: { list: string; condition: string; value: unknown },
) {
  const scope = Object.entries(scopeOf(ctx, model));
  const conditions = scope.map(([name], i) => `t.${name} = $${i + 1}`);
  conditions.push(condition.replace('?', `$${scope.length + 1}`));
  return {
    text: `SELECT ${list} FROM ${tables[model]} t WHERE ${conditions.join(' AND ')}`,
    values: [...scope.map(([, scopeValue]) => scopeValue), value],
  };
}

/** How a join table ties rows to their parents. */
interface JoinTable {
  readonly table: string;
  /** Its column that points to the parent. */
  readonly parent: string;
  /** Its column that points to the row. */
  readonly child: string;
  /** Over the join table `j` and the rows `t`. */
  readonly order: string;
  /** A further condition over the same. */
  readonly where?: string;
}

/** Rows by parent through a join table, both of them of a business and without a mode: one statement for all parents. */
export function loadThrough<M extends Model>(
  ctx: RequestContext,
  model: M,
  { table, parent, child, order, where = 'true' }: JoinTable,
): DataLoader<string, RowOf<M>[]> {
  const text = `SELECT j.${parent} AS "__parent", ${columnsOf(model, 't')}
    FROM ${table} j JOIN ${tables[model]} t ON t.business_id = j.business_id AND t.id = j.${child}
    WHERE j.business_id = $1 AND j.${parent} = ANY($2::uuid[]) AND ${where} ORDER BY ${order}`;
  return new DataLoader(async (parentIds) => {
    const { businessId } = tenantOf(ctx);
    const name = `through_${table}_${parent}`;
    const rows = await ctx.db.sql<RowOf<M> & { __parent: string }>(name, text, [businessId, parentIds]);
    const byParent = new Map<string, RowOf<M>[]>(parentIds.map((parentId) => [parentId, []]));
    for (const { __parent, ...row } of rows) byParent.get(__parent)?.push(row as unknown as RowOf<M>);
    return parentIds.map((parentId) => byParent.get(parentId) ?? []);
  });
}

/** One parent's page of a list. */
export interface ParentPage<Args extends PageArgs> {
  readonly parentId: string;
  readonly args: Args;
}

/**
 * Pages by parent: all parents that a request asks for with the same arguments share one statement.
 * @param listOf what the arguments mean; the same function serves the root field
 * @param columns what is read of the rows; absent: all
 */
export function loadPage<M extends NarrowModel, Args extends PageArgs>(
  ctx: RequestContext,
  foreignKey: keyof RowOf<M> & string,
  listOf: (ctx: RequestContext, args: Args) => ListSpec<M>,
  columns: ColumnSet<M>,
): DataLoader<ParentPage<Args>, Connection<NarrowRow<M>>, string>;
export function loadPage<M extends Model, Args extends PageArgs>(
  ctx: RequestContext,
  foreignKey: keyof RowOf<M> & string,
  listOf: (ctx: RequestContext, args: Args) => ListSpec<M>,
): DataLoader<ParentPage<Args>, Connection<RowOf<M>>, string>;
export function loadPage<Args extends PageArgs>(
  ctx: RequestContext,
  foreignKey: string,
  listOf: (ctx: RequestContext, args: Args) => ListSpec<Model>,
  columns?: ColumnSet,
): DataLoader<ParentPage<Args>, Connection<object>, string> {
  return new DataLoader(
    async (keys) => {
      const groups = new Map<string, number[]>();
      keys.forEach((key, index) => {
        // A cursor belongs to one parent's list, so parents with one do not share a statement.
        const group = JSON.stringify([key.args, key.args.after || key.args.before ? key.parentId : null]);
        groups.set(group, [...(groups.get(group) ?? []), index]);
      });
      const pages = new Array<Connection<object>>(keys.length);
      await Promise.all(
        [...groups.values()].map(async (indexes) => {
          const { args } = keys[indexes[0] as number] as ParentPage<Args>;
          const parentIds = indexes.map((index) => (keys[index] as ParentPage<Args>).parentId);
          const parents = { column: columnName(foreignKey), ids: parentIds };
          const found = await listPageByParent(ctx.db, listOf(ctx, args), args, parents, columns);
          indexes.forEach((index, i) => (pages[index] = found[i] as Connection<object>));
        }),
      );
      return pages;
    },
    { cacheKeyFn: (key) => JSON.stringify(key) },
  );
}
