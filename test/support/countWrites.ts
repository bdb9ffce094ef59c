import type pg from 'pg';
import type { Api } from './api.js';

/** How many statements were sent on connections for writing while `work` ran, BEGIN and COMMIT among them. */
export async function countWrites({ db }: Api, work: () => Promise<unknown>): Promise<number> {
  const { pool } = db.writer;
  const watched = new Set<pg.PoolClient>();
  let count = 0;
  const watch = (client: pg.PoolClient) => {
    if (watched.has(client)) return;
    watched.add(client);
    const send = client.query.bind(client) as (...args: unknown[]) => unknown;
    Object.defineProperty(client, 'query', {
      configurable: true,
      value: (...args: unknown[]) => {
        count++;
        return send(...args);
      },
    });
  };
  pool.on('acquire', watch);
  try {
    await work();
    return count;
  } finally {
    pool.off('acquire', watch);
    for (const client of watched) Reflect.deleteProperty(client, 'query');
  }
}
