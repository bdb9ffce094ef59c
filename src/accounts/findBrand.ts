import type { Database } from '../kernel/database.js';

/** A brand that a `Brand-URL` header may name, in the form that brands keep: a host in lower case. */
export function brandHost(url: string): string {
  return url
    .trim()
    .toLowerCase()
    .replace(/^https?:\/\//, '')
    .replace(/\/.*$/, '');
}

/** The brand that a `Brand-URL` header names; null when there is none on this server. */
export async function findBrand(db: Database, url: string): Promise<{ id: string; businessId: string } | null> {
  const [brand] = await db.sql<{ id: string; businessId: string }>(
    'find_brand',
    'SELECT id, business_id AS "businessId" FROM brands WHERE url = $1',
    [brandHost(url)],
  );
  return brand ?? null;
}
