import type { Database } from '../kernel/database.js';

/** The business of a server that holds one; null when there are several, or none. */
export async function soleBusiness(db: Database): Promise<string | null> {
  const rows = await db.sql<{ id: string }>('sole_business', 'SELECT id FROM businesses LIMIT 2', []);
  return rows.length === 1 ? (rows[0] as { id: string }).id : null;
}
