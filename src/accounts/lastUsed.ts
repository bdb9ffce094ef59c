import type { Database } from '../kernel/database.js';

/** Notes down which API keys were used, so that `flush` can write them together: once a minute, not once a request. */
export interface LastUsed {
  note(apiKeyId: string, at: Date): void;
  /** Writes what was noted since the last time. */
  flush(): Promise<void>;
}

/** Keeps the latest use of each API key in memory until it is flushed; a crash loses at most a minute of them. */
export function createLastUsed(db: Database): LastUsed {
  let uses = new Map<string, Date>();
  return {
    note(apiKeyId, at) {
      uses.set(apiKeyId, at);
    },
    async flush() {
      if (uses.size === 0) return;
      const batch = uses;
      uses = new Map();
      await write(db, batch).catch((error: unknown) => {
        // What could not be written is kept for the next time, beneath what was noted since.
        uses = new Map([...batch, ...uses]);
        throw error;
      });
    },
  };
}

async function write(db: Database, batch: ReadonlyMap<string, Date>): Promise<void> {
  await db.writer.pool.query({
    name: 'flush_last_used',
    text: `UPDATE api_keys k SET last_used_at = used.at
      FROM unnest($1::uuid[], $2::timestamptz[]) AS used (id, at)
      WHERE k.id = used.id AND (k.last_used_at IS NULL OR k.last_used_at < used.at)`,
    values: [[...batch.keys()], [...batch.values()]],
  });
}
