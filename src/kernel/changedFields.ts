import { isDeepStrictEqual } from 'node:util';

/** The fields of a change that differ from a row, before and after; null when none does. */
export function changedFields<Row extends object>(
  current: Row,
  change: Partial<Row>,
): { before: Partial<Row>; after: Partial<Row> } | null {
  const names = (Object.keys(change) as (keyof Row)[]).filter(
    (name) => !isDeepStrictEqual(change[name], current[name]),
  );
  if (names.length === 0) return null;
  const pick = (row: Partial<Row>) => Object.fromEntries(names.map((name) => [name, row[name]])) as Partial<Row>;
  return { before: pick(current), after: pick(change) };
}
