import type { Database } from '../kernel/database.js';

const AT_ONCE = 5_000;

/** A job: removes usage keys whose period is over, in batches; what was counted stays. Returns how many. */
export async function forgetUsageKeys({ db, now }: { db: Database; now: Date }): Promise<number> {
  for (let forgotten = 0; ;) {
    const { rowCount } = await db.writer.pool.query({
      name: 'forget_usage_keys',
      text: `DELETE FROM product_key_usages WHERE (business_id, mode, product_key_id, period_starts_at, key_hash) IN (
        SELECT business_id, mode, product_key_id, period_starts_at, key_hash FROM product_key_usages WHERE period_ends_at <= $1
        LIMIT ${AT_ONCE} FOR UPDATE SKIP LOCKED)`,
      values: [now],
    });
    forgotten += rowCount ?? 0;
    if ((rowCount ?? 0) < AT_ONCE) return forgotten;
  }
}
