import type { Client } from 'pg';

const statement = `SELECT (SELECT coalesce(sum(consumed), 0)::int FROM product_key_meters) AS consumed,
  (SELECT coalesce(sum(amount), 0)::int FROM product_key_usage_hours) AS charted,
  (SELECT count(*)::int FROM product_key_usages) AS noted`;

/**
 * What the uses left in the database, against what the clients were told.
 * @param uses how many they were told were counted; each counts one
 * @throws Error when meters, charts or usage keys say otherwise
 */
export async function checkUsage(db: Client, uses: number): Promise<void> {
  const { rows } = await db.query<{ consumed: number; charted: number; noted: number }>(statement);
  const { consumed, charted, noted } = rows[0]!;
  if (consumed === uses && charted === uses && noted === uses) return;
  throw new Error(`usage is not exact: ${uses} told, ${consumed} counted, ${charted} charted, ${noted} noted`);
}
