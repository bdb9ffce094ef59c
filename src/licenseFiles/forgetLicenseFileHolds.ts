import type { SystemParts } from '../jobs/systemContext.js';

const DAY_MS = 86_400_000;
const BATCH = 5_000;

/**
 * A job: removes the notes of license files whose grace was over a day ago or earlier, of all tenants: devices without an
 * activation leave one each. The revocation list looks at no such note any more. In batches, so that a long backlog is worked off.
 * @returns how many
 */
export async function forgetLicenseFileHolds({ db, clock }: SystemParts): Promise<number> {
  const overBy = new Date(clock().getTime() - DAY_MS);
  for (let forgotten = 0; ;) {
    const { rowCount } = await db.writer.pool.query({
      name: 'forget_license_file_holds',
      text: `DELETE FROM license_file_holds WHERE (business_id, mode, license_key_id, subject_id) IN (
        SELECT business_id, mode, license_key_id, subject_id FROM license_file_holds WHERE offline_until <= $1
        LIMIT ${BATCH} FOR UPDATE SKIP LOCKED)`,
      values: [overBy],
    });
    forgotten += rowCount ?? 0;
    if ((rowCount ?? 0) < BATCH) return forgotten;
  }
}
