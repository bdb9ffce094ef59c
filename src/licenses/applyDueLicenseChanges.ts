import type { Logger } from 'pino';
import type { License } from '../generated/prisma/client.js';
import { systemContext, type SystemParts } from '../jobs/systemContext.js';
import type { Database } from '../kernel/database.js';
import { describeFault } from '../kernel/describeFault.js';
import type { Tenant } from '../kernel/requestContext.js';
import { columnsOf } from '../kernel/rows.js';
import { inSqlTransaction } from '../kernel/transaction.js';
import { activateDueLicenses } from './activateDueLicenses.js';
import { carryOutDueChanges } from './carryOutDueChanges.js';

/** What the job needs. */
export interface DueParts extends SystemParts {
  readonly now: Date;
  readonly log: Logger;
}

const BATCH = 200;
/** Licenses worked on at a time by one worker; the API needs connections too. */
const AT_ONCE = 4;

/** The licenses of one kind of change that is due, from an index of its own; the tenant is part of where they go on. */
const dueOf = (instant: string, condition: string) => `(SELECT business_id, mode, id, ${instant} AS at FROM licenses
    WHERE ${instant} <= $1 AND ${condition} AND (${instant}, id) > ($2, $3) ORDER BY ${instant}, id LIMIT ${BATCH})`;

const dueLicenses = `SELECT business_id AS "businessId", mode, id, at FROM (
    ${dueOf('pending_status_at', 'pending_status IS NOT NULL')}
    UNION ALL ${dueOf('valid_from', "status = 'PENDING'")}
    UNION ALL ${dueOf('pending_offering_at', 'pending_offering_id IS NOT NULL')}
    UNION ALL ${dueOf('valid_until', "expired_at IS NULL AND valid_until IS NOT NULL AND status <> 'CANCELLED'")}
  ) due ORDER BY at, id LIMIT ${BATCH}`;

const lockDue = `SELECT ${columnsOf('License')} FROM licenses WHERE business_id = $1 AND mode = $2 AND id = $3
  FOR NO KEY UPDATE SKIP LOCKED`;

interface DueLicense extends Tenant {
  readonly id: string;
  readonly at: Date;
}

/**
 * A job: writes down what has become true by itself of the licenses of all tenants: starts, scheduled changes of status and
 * offering, expiries, with their effect on grants and keys. Each license in a transaction of its own, so that one that fails is
 * logged and stops no other; it is tried again by the next run. Readers see all that from its instant on anyway. However many
 * workers run it at once, and however late, each change is made once.
 * @returns of how many licenses something was written by this call
 */
export async function applyDueLicenseChanges(parts: DueParts): Promise<number> {
  let total = await activateTogether(parts);
  let last: Pick<DueLicense, 'at' | 'id'> = {
    at: new Date(-62_135_596_800_000),
    id: '00000000-0000-0000-0000-000000000000',
  };
  for (;;) {
    const due = await readDue(parts.db, parts.now, last);
    total += await applyAll(parts, due);
    const end = due.at(-1);
    if (!end || due.length < BATCH) return total;
    last = end;
  }
}

/** Starts that cannot be written together are left to what follows, which finds them one by one. */
async function activateTogether({ db, now, log }: DueParts): Promise<number> {
  try {
    return await activateDueLicenses(db, now);
  } catch (error) {
    log.error(
      { err: describeFault(error) },
      'starts of licenses could not be written together; each is written by itself',
    );
    return 0;
  }
}

async function readDue(db: Database, now: Date, { at, id }: Pick<DueLicense, 'at' | 'id'>): Promise<DueLicense[]> {
  const found = await db.writer.pool.query<DueLicense>({
    name: 'due_licenses',
    text: dueLicenses,
    values: [now, at, id],
  });
  return found.rows;
}

async function applyAll(parts: DueParts, due: readonly DueLicense[]): Promise<number> {
  const waiting = [...due];
  let done = 0;
  const work = async () => {
    for (let next = waiting.shift(); next; next = waiting.shift()) if (await applyOne(parts, next)) done++;
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  return done;
}

/** Whether something was written: not when another worker or use case did it or does it just now, and not when it failed. */
async function applyOne(parts: DueParts, { id, at: _, ...tenant }: DueLicense): Promise<boolean> {
  const ctx = { ...systemContext(parts, tenant), now: parts.now, requestId: 'applyDueLicenseChanges' };
  try {
    const { isChanged } = await inSqlTransaction(ctx, async (tx) => {
      const [license] = await tx.sql<License>('lock_due_license', lockDue, [tenant.businessId, tenant.mode, id]);
      const changed = license ? await carryOutDueChanges(tx, license) : null;
      return { isChanged: changed !== null && changed.version !== license?.version };
    });
    return isChanged;
  } catch (error) {
    parts.log.error({ license: id, err: describeFault(error) }, 'what is due of a license could not be carried out');
    return false;
  }
}
