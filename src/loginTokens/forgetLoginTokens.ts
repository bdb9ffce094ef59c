import type { SystemParts } from '../jobs/systemContext.js';

const DAY_MS = 86_400_000;
const BATCH = 5_000;

/**
 * A job: removes tokens that expired a day ago or earlier, used or not, of all tenants; by then no call is repeated any more that
 * made or used one. What happened to them stays in the history. In batches, so that a long backlog is worked off.
 * @returns how many
 */
export async function forgetLoginTokens({ db, clock }: SystemParts): Promise<number> {
  const expiredBy = new Date(clock().getTime() - DAY_MS);
  for (let forgotten = 0; ;) {
    const { rowCount } = await db.writer.pool.query({
      name: 'forget_login_tokens',
      text: `DELETE FROM login_tokens WHERE (business_id, mode, id) IN (
        SELECT business_id, mode, id FROM login_tokens WHERE expires_at <= $1 LIMIT ${BATCH} FOR UPDATE SKIP LOCKED)`,
      values: [expiredBy],
    });
    forgotten += rowCount ?? 0;
    if ((rowCount ?? 0) < BATCH) return forgotten;
  }
}
