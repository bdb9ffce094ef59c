import type { IdFilter, OrderDirection } from '../generated/graphql.js';
import { ClientError } from '../kernel/clientError.js';
import { uuidOf, type IdType } from '../kernel/id.js';
import { isAnyOf, type Condition } from '../kernel/condition.js';
import type { ListOrder } from '../kernel/page.js';

const MIN_SEARCH = 2;

/** `column` is any of the ids of a type; no filter, no condition. */
export function hasIdIn(column: string, type: IdType, filter: IdFilter | null | undefined): Condition[] {
  if (!filter) return [];
  const ids = filter.in.map((id) => uuidOf(type, id));
  return [isAnyOf(column, ids, 'uuid')];
}

/**
 * Text that an expression (already in lower case) contains, whatever its case; `%` and `_` mean themselves. No search, no
 * condition. The migrations have a trigram index on each expression.
 * @throws ClientError BAD_USER_INPUT for a search of fewer than two characters
 */
export function isFoundIn(expression: string, search: string | null | undefined): Condition[] {
  if (search == null) return [];
  const text = search.trim();
  if ([...text].length < MIN_SEARCH) {
    const message = `Give \`search\` at least ${MIN_SEARCH} characters.`;
    throw new ClientError('BAD_USER_INPUT', message, { argument: 'search' });
  }
  const pattern = `%${text.replace(/[\\%_]/g, '\\$&')}%`;
  // Both sides in lower case by the database's rules: JavaScript's differ for a few letters.
  return [(place) => `${expression} LIKE lower(${place(pattern)})`];
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
