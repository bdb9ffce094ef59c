import { Client } from 'pg';
import type { Api } from './api.js';
import { waitUntil } from './waitUntil.js';

/** A transaction beside the server's, in which something is written or locked and not yet committed. */
export interface HeldRows {
  /** Waits until so many of the server's statements wait for locks. */
  waiters(count: number): Promise<void>;
  /** Commits. */
  release(): Promise<void>;
}

/** Begins such a transaction with one statement. Whoever needs what it holds waits until `release`. */
export async function holdRows(api: Api, text: string, values: unknown[] = []): Promise<HeldRows> {
  const client = new Client({ connectionString: api.url });
  await client.connect();
  await client.query('BEGIN');
  const { rowCount } = await client.query(text, values);
  if (rowCount !== 1) throw new Error(`one row was to be held, not ${rowCount}`);
  const waiting =
    "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock' AND state = 'active'";
  return {
    waiters: (count) =>
      waitUntil(`${count} to wait for a lock`, async () => (await api.db.sql(null, waiting, [])).length === count),
    release: async () => {
      await client.query('COMMIT');
      await client.end();
    },
  };
}
