import { uuidOf } from '../kernel/id.js';
import { missing } from '../kernel/missing.js';
import { userError, type UserErrorData } from '../kernel/refusal.js';
import { tenantOf } from '../kernel/requestContext.js';
import { tables } from '../kernel/rows.js';
import type { SqlTx } from '../kernel/transaction.js';

/** An object that an input names, and where. */
export interface Named {
  readonly id: string;
  readonly path: readonly (string | number)[];
}

const kinds = {
  Organization: {
    notFound: 'OrganizationNotFound',
    isUnknown: 'There is no organization with this id.',
    archived: 'OrganizationArchived',
    isArchived: 'The organization is archived: it gets no product keys. Choose another one, or none.',
  },
  Application: {
    notFound: 'ApplicationNotFound',
    isUnknown: 'There is no application with this id.',
    archived: 'ApplicationArchived',
    isArchived: 'The application is archived: no product key names it newly. Choose another one, or none.',
  },
} as const;

/**
 * A step: holds organizations or applications that an input names against being archived until the transaction ends; one
 * statement. Adds a problem for each that is unknown, of the other mode, or archived and not one of `kept`.
 * @returns UUIDs in the order of the input, each once
 */
export async function findNamed(
  tx: SqlTx,
  problems: UserErrorData[],
  model: keyof typeof kinds,
  named: readonly Named[],
  kept: ReadonlySet<string | null> = new Set(),
): Promise<string[]> {
  if (named.length === 0) return [];
  const { businessId, mode } = tenantOf(tx.ctx);
  const ids = named.map(({ id }) => uuidOf(model, id));
  const rows = await tx.sql<{ id: string; archivedAt: Date | null }>(
    `hold_${model}`,
    `SELECT id, archived_at AS "archivedAt" FROM ${tables[model]}
      WHERE business_id = $1 AND mode = $2 AND id = ANY($3::uuid[]) ORDER BY id FOR SHARE`,
    [businessId, mode, ids],
  );
  const byId = new Map(rows.map((row) => [row.id, row]));
  const { notFound, isUnknown, archived, isArchived } = kinds[model];
  const found = new Set<string>();
  for (const [index, { path }] of named.entries()) {
    const id = ids[index] as string;
    const row = byId.get(id);
    if (!row) problems.push(...(await missing(tx, model, id, path.map(String), notFound, isUnknown)).errors);
    else if (row.archivedAt && !kept.has(id)) problems.push(userError(archived, path, isArchived));
    else found.add(id);
  }
  return [...found];
}
