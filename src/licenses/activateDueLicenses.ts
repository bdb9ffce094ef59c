import type { Database } from '../kernel/database.js';
import { newId } from '../kernel/id.js';
import { columnsOf } from '../kernel/rows.js';

const BATCH = 500;

/** The license's instants, as the snapshots of other changes write them; and its amounts, which JSON numbers would round. */
const instants = [
  ...['validFrom', 'validUntil', 'activatedAt', 'pausedAt', 'cancelledAt', 'pendingStatusAt', 'pendingOfferingAt'],
  ...['offeringSince', 'billingSince', 'usedAt', 'expiredAt', 'createdAt', 'updatedAt'],
].map((field) => `'${field}', to_char(w."${field}" AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`);

/**
 * The rows that another worker writes just now are passed over. What was scheduled for the start or before goes first, and a
 * renewal takes grants on with its start: such licenses are left to `carryOutDueChanges`. The change is dated with the instant
 * from which it is true.
 */
const statement = `WITH due AS (
    SELECT business_id, mode, id FROM licenses l
      WHERE status = 'PENDING' AND valid_from <= $1
        AND (pending_status_at <= valid_from) IS NOT TRUE AND (pending_offering_at <= valid_from) IS NOT TRUE
        AND NOT EXISTS (SELECT 1 FROM licenses p
          WHERE p.business_id = l.business_id AND p.mode = l.mode AND p.renewal_id = l.id)
      ORDER BY valid_from LIMIT ${BATCH} FOR NO KEY UPDATE SKIP LOCKED),
  written AS (
    UPDATE licenses l SET status = 'ACTIVE', activated_at = l.valid_from, version = l.version + 1, updated_at = l.valid_from
      FROM due WHERE l.business_id = due.business_id AND l.mode = due.mode AND l.id = due.id
      RETURNING ${columnsOf('License', 'l')}),
  numbered AS (SELECT w.*, row_number() OVER ()::int AS n,
      to_jsonb(w) || jsonb_build_object(${instants.join(', ')}, 'amountMinor', w."amountMinor"::text,
        'discountMinor', w."discountMinor"::text) AS snapshot
    FROM written w)
  INSERT INTO changes (business_id, mode, id, type, object_type, object_id, sequence, actor_kind, before, after, snapshot,
      request_id, created_at)
    SELECT "businessId", mode, ($2::uuid[])[n], 'license.activated', 'License', id, version, 'SYSTEM',
      '{"status": "PENDING", "activatedAt": null}',
      jsonb_build_object('status', 'ACTIVE', 'activatedAt', snapshot -> 'activatedAt'), snapshot,
      'applyDueLicenseChanges', "validFrom"
    FROM numbered`;

/**
 * Writes down as ACTIVE the pending licenses of all tenants whose start has come, `activatedAt` being that start, and records
 * `license.activated` for each: one statement for many, as many licenses start at midnight. Readers see them active since their
 * start anyway, and a start does nothing to grants. However many workers run it at once, and however late, each license is
 * activated once.
 * @returns how many were activated by this call
 */
export async function activateDueLicenses(db: Database, now: Date): Promise<number> {
  let total = 0;
  for (;;) {
    const ids = Array.from({ length: BATCH }, newId);
    const result = await db.writer.pool.query({ name: 'activate_due_licenses', text: statement, values: [now, ids] });
    const count = result.rowCount ?? 0;
    total += count;
    if (count < BATCH) return total;
  }
}
