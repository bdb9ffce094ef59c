import type { Database } from './kernel/database.js';
import type { Readiness } from './server.js';

const MAX_SKEW_MS = 1_000;

/** Whether the database answers, and tells the same time: what is due is decided by this process's clock. */
export async function readinessOf(db: Database): Promise<Readiness> {
  try {
    const asked = Date.now();
    const [row] = await db.sql<{ at: Date }>('readiness', 'SELECT clock_timestamp() AS at', []);
    const answered = Date.now();
    const at = row?.at.getTime() ?? 0;
    const skew = at < asked ? asked - at : Math.max(0, at - answered);
    return skew > MAX_SKEW_MS
      ? { ok: false, reasons: [`the clock differs from the database's by ${skew} ms`] }
      : { ok: true, reasons: [] };
  } catch {
    return { ok: false, reasons: ['the database does not answer'] };
  }
}
