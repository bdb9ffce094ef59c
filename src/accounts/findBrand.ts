import type { Database } from '../kernel/database.js';
import { createMemory } from '../kernel/memory.js';

/** A brand that a `Brand-URL` header may name, in the form that brands keep: a host in lower case. */
export function brandHost(url: string): string {
  return url
    .trim()
    .toLowerCase()
    .replace(/^https?:\/\//, '')
    .replace(/\/.*$/, '');
}

/** A brand, and whose it is. */
export interface FoundBrand {
  readonly id: string;
  readonly businessId: string;
}

/** The brand that a `Brand-URL` header names; null when there is none on this server. */
export type FindBrand = (url: string) => Promise<FoundBrand | null>;

/** Makes the look-up of brands: one prepared statement, remembered for a second. */
export function createFindBrand(db: Database): FindBrand {
  const remembered = createMemory<FoundBrand>();
  return async (url) => {
    const host = brandHost(url);
    // A query string can carry what no header can, and PostgreSQL no text.
    if (host.includes('\0')) return null;
    return remembered(host, async () => {
      const [brand] = await db.sql<FoundBrand>(
        'find_brand',
        'SELECT id, business_id AS "businessId" FROM brands WHERE url = $1',
        [host],
      );
      return brand ?? null;
    });
  };
}
