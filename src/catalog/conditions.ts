import type { IdFilter, OrderDirection } from '../generated/graphql.js';
import { uuidOf, type IdType } from '../kernel/id.js';
import { isAnyOf, type Condition } from '../kernel/condition.js';
import type { ListOrder } from '../kernel/page.js';

/** `column` is any of the ids of a type; no filter, no condition. */
export function hasIdIn(column: string, type: IdType, filter: IdFilter | null | undefined): Condition[] {
  if (!filter) return [];
  const ids = filter.in.map((id) => uuidOf(type, id));
  return [isAnyOf(column, ids, 'uuid')];
}

/** Archived things are left out of lists unless they are what is asked for. */
export function isArchivedOr(isArchived: boolean | null | undefined): Condition {
  return () => `t.archived_at IS ${isArchived ? 'NOT NULL' : 'NULL'}`;
}

/** By name or, unless asked otherwise, by time of creation, the newest first. */
export function nameOrCreation(
  orderBy: { field?: 'NAME' | 'CREATED_AT'; direction?: OrderDirection } | null | undefined,
): ListOrder {
  const direction = orderBy?.direction ?? 'DESC';
  return orderBy?.field === 'NAME'
    ? { name: 'NAME', expression: 't.name', type: 'text', direction }
    : byCreation(direction);
}

/** By time of creation, the newest first unless asked otherwise. */
export function byCreation(direction: OrderDirection | null | undefined): ListOrder {
  return { name: 'CREATED_AT', expression: 't.created_at', type: 'timestamptz', direction: direction ?? 'DESC' };
}
