import type DataLoader from 'dataloader';
import { globalId, type IdType } from '../kernel/id.js';
import { declared } from './reads.js';

/** Resolver of an `id` field. */
export function idOf(type: IdType) {
  return declared((row: { id: string }): string => globalId(type, row.id), { readsColumns: ['id'] });
}

/**
 * A row that must be there, because a foreign key says so and whoever sees the parent may see it.
 * @throws Error when it is not: a fault, masked for the caller
 */
export function required<Row>(row: Promise<Row | null>): Promise<Row> {
  return row.then((loaded) => {
    if (loaded === null) throw new Error('a row that a foreign key points to was not found');
    return loaded;
  });
}

/** A row by an id that may be absent: null when it is. */
export function found<Row>(
  loader: DataLoader<string, Row | null>,
  id: string | null | undefined,
): Promise<Row | null> | null {
  return id ? loader.load(id) : null;
}
