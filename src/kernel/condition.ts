import { ClientError } from './clientError.js';

const MIN_SEARCH = 2;

/** Adds a value to the statement and gives its placeholder. */
export type Placeholder = (value: unknown) => string;

/** A condition of a `where`, as SQL over the table's columns. */
export type Condition = (placeholder: Placeholder) => string;

/**
 * `column` is any of the values; an empty list matches nothing. One value is an equality: only then can an index that begins
 * with the column give the rows in the order of its next one.
 */
export function isAnyOf(
  column: string,
  values: readonly string[],
  type: 'uuid' | 'text' | 'license_status' | 'product_key_status' | 'sla_metric',
): Condition {
  const [value, ...others] = values;
  if (value !== undefined && others.length === 0) return (place) => `t.${column} = ${place(value)}::${type}`;
  return (place) => `t.${column} = ANY(${place(values)}::${type}[])`;
}

/** `expression` lies in a half-open window of time. */
export function isWithin(expression: string, window: { gte?: Date | null; lt?: Date | null }): Condition[] {
  const conditions: Condition[] = [];
  if (window.gte) conditions.push((place) => `${expression} >= ${place(window.gte)}`);
  if (window.lt) conditions.push((place) => `${expression} < ${place(window.lt)}`);
  return conditions;
}

/** The metadata pair is there. Values are compared as text, so that 1 and "1" are the same to a caller. */
export function hasMetadata(pair: { key: string; eq: string }): Condition {
  return (place) => {
    const asText = place(JSON.stringify({ [pair.key]: pair.eq }));
    const scalar = /^(true|false|-?(0|[1-9]\d{0,30})(\.\d{1,30})?)$/.test(pair.eq)
      ? `{${JSON.stringify(pair.key)}: ${pair.eq}}`
      : null;
    return scalar
      ? `(t.metadata @> ${asText}::jsonb OR t.metadata @> ${place(scalar)}::jsonb)`
      : `t.metadata @> ${asText}::jsonb`;
  };
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
