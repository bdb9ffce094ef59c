import type { Row } from '../copyInto.js';
import { businessesOf, type Business, type WorldSize } from './business.js';
import { catalogTables } from './catalog.js';
import { customerTables } from './customers.js';
import { licenseTables } from './licenses.js';

/** A world's rows by table, of all businesses one after the other; each is made when it is asked for. */
export function worldRows(size: WorldSize, now: Date): { table: string; rows: Iterable<Row> }[] {
  const businesses = businessesOf(size);
  return Object.entries({ ...catalogTables, ...customerTables, ...licenseTables }).map(([table, rowsOf]) => ({
    table,
    rows: ofAll(businesses, (business) => rowsOf(business, now)),
  }));
}

function* ofAll(businesses: readonly Business[], rowsOf: (business: Business) => Iterable<Row>): Generator<Row> {
  for (const business of businesses) yield* rowsOf(business);
}
