import type { License } from '../generated/prisma/client.js';
import { applyEachDue, type DueParts, type DueRow, type DueWork } from '../jobs/applyEachDue.js';
import type { Database } from '../kernel/database.js';
import { describeFault } from '../kernel/describeFault.js';
import { columnsOf } from '../kernel/rows.js';
import { activateDueLicenses } from './activateDueLicenses.js';
import { carryOutDueChanges } from './carryOutDueChanges.js';

const BATCH = 200;

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

interface DueLicense extends DueRow {
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
    total += await applyEachDue(parts, due, work);
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

const work: DueWork = {
  job: 'applyDueLicenseChanges',
  about: 'license',
  carryOut: async (tx, { businessId, mode, id }) => {
    const [license] = await tx.sql<License>('lock_due_license', lockDue, [businessId, mode, id]);
    return license !== undefined && (await carryOutDueChanges(tx, license)).version !== license.version;
  },
  fault: 'what is due of a license could not be carried out',
};
