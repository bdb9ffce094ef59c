import type { RequestContext, Tenant } from '../kernel/requestContext.js';
import { inSqlTransaction } from '../kernel/transaction.js';
import { systemContext, type SystemParts } from '../jobs/systemContext.js';
import { lockKey } from './lockKey.js';

const BATCH = 500;

/** A key with leases that have run out and are not written down yet. */
interface DueKey extends Tenant {
  readonly licenseKeyId: string;
}

/**
 * A job: writes down the leases of all tenants that have run out, and records `activation.lapsed` for each, dated with its
 * instant. A key that somebody works with just now is passed over: whoever locks it does the same. Their seats are free since
 * that instant anyway.
 * @returns how many keys were gone through
 */
export async function lapseActivations(parts: SystemParts): Promise<number> {
  let done = 0;
  let after = {
    businessId: '00000000-0000-0000-0000-000000000000',
    mode: 'LIVE',
    licenseKeyId: '00000000-0000-0000-0000-000000000000',
  };
  for (;;) {
    const due = await dueKeys(parts.db, parts.clock(), after);
    for (const { businessId, mode, licenseKeyId } of due) {
      const ctx = systemContext(parts, { businessId, mode });
      await inSqlTransaction(ctx, async (tx) => ({
        key: await lockKey(tx, { businessId, mode }, licenseKeyId, { wait: false }),
      }));
    }
    done += due.length;
    const last = due.at(-1);
    if (!last || due.length < BATCH) return done;
    after = last;
  }
}

function dueKeys(
  db: RequestContext['db'],
  now: Date,
  after: { businessId: string; mode: string; licenseKeyId: string },
): Promise<DueKey[]> {
  return db.sql<DueKey>(
    'keys_with_lapsed_leases',
    `SELECT DISTINCT business_id AS "businessId", mode, license_key_id AS "licenseKeyId" FROM activations
      WHERE ended_at IS NULL AND lease_until <= $1 AND (business_id, mode, license_key_id) > ($2::uuid, $3::mode, $4::uuid)
      ORDER BY 1, 2, 3 LIMIT ${BATCH}`,
    [now, after.businessId, after.mode, after.licenseKeyId],
  );
}
