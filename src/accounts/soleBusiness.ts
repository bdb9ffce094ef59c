import type { Database } from '../kernel/database.js';
import { createMemory, type Memory } from '../kernel/memory.js';

const remembered = new WeakMap<Database, Memory<string>>();

/** The business of a server that holds one, remembered for a second; null when there are several, or none. */
export function soleBusiness(db: Database): Promise<string | null> {
  const memory = remembered.get(db) ?? createMemory<string>();
  remembered.set(db, memory);
  return memory('', async () => {
    const rows = await db.sql<{ id: string }>('sole_business', 'SELECT id FROM businesses LIMIT 2', []);
    return rows.length === 1 ? (rows[0] as { id: string }).id : null;
  });
}
