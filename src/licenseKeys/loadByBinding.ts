import DataLoader from 'dataloader';
import type { RequestContext } from '../kernel/requestContext.js';
import { columnsOf, tables, type RowOf } from '../kernel/rows.js';
import { scopeOf } from '../kernel/tenancy.js';

const columns = { License: 'license_id', LicenseKey: 'license_key_id' } as const;

/**
 * Keys by license, or licenses by key, the oldest first: one statement for all parents.
 * @param model what is loaded; the other of the two is the parent
 */
export function loadByBinding<M extends keyof typeof columns>(
  ctx: RequestContext,
  model: M,
): DataLoader<string, RowOf<M>[]> {
  const parent = model === 'License' ? columns.LicenseKey : columns.License;
  return new DataLoader(async (parentIds) => {
    // Asked for here and not before: loaders are also made for callers without a business, who load nothing.
    const scope = Object.entries(scopeOf(ctx, model));
    const conditions = scope.map(([column], i) => `t.${column} = $${i + 2}`);
    const text = `SELECT b.${parent} AS "__parent", ${columnsOf(model, 't')}
      FROM license_key_bindings b
      JOIN ${tables[model]} t ON t.business_id = b.business_id AND t.mode = b.mode AND t.id = b.${columns[model]}
      WHERE b.${parent} = ANY($1::uuid[]) AND ${conditions.join(' AND ')}
      ORDER BY t.created_at, t.id`;
    const values = [parentIds, ...scope.map(([, value]) => value)];
    const name = `${model}_by_binding_${scope.length}`;
    const rows = await ctx.db.sql<RowOf<M> & { __parent: string }>(name, text, values);
    const byParent = new Map<string, RowOf<M>[]>(parentIds.map((parentId) => [parentId, []]));
    for (const { __parent, ...row } of rows) byParent.get(__parent)?.push(row as unknown as RowOf<M>);
    return parentIds.map((parentId) => byParent.get(parentId) ?? []);
  });
}
