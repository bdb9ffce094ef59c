import type { License } from '../generated/prisma/client.js';
import { tenantOf } from '../kernel/requestContext.js';
import type { SqlTx } from '../kernel/transaction.js';
import { latestChange } from './offeringChange.js';

/** An offering that a license is to have for an assignee in a window of time. */
export interface AssigneeSlot {
  /** The license itself, which does not stand in its own way; null: it is new. */
  readonly licenseId: string | null;
  readonly productOfferingId: string;
  readonly type: string;
  readonly id: string;
  readonly from: Date;
  /** Exclusive; null: for ever. */
  readonly until: Date | null;
}

/**
 * The window of an offering begins when the license has it, and that of a scheduled change with the change. A license counts for its present offering up to its end all the same, as the
 * exclusion constraint sees it: the change may still be dropped.
 */
const taken = `SELECT 1 AS one
  FROM jsonb_to_recordset($3::jsonb) AS s ("licenseId" uuid, "productOfferingId" uuid, type text, id text, "from" timestamptz, until timestamptz)
  JOIN licenses l ON l.business_id = $1 AND l.mode = $2 AND l.assigned_to_type = s.type AND l.assigned_to_id = s.id
    AND l.id IS DISTINCT FROM s."licenseId" AND l.status <> 'CANCELLED'
  WHERE (l.product_offering_id = s."productOfferingId" AND l.occupies * tstzrange(l.offering_since, NULL) && tstzrange(s."from", s.until))
    OR (l.pending_offering_id = s."productOfferingId"
      AND l.occupies * tstzrange(l.pending_offering_at, NULL) && tstzrange(s."from", s.until))
  LIMIT 1`;

/**
 * A step: keeps slots for their licenses until the transaction ends, and tells whether they are free. Whoever wants the same
 * offering for the same assignee waits here, so that of two at once one sees the other. The exclusion constraint alone would
 * refuse all but one of those who want it now as well, but insertions that wait for one another there end as deadlocks, and it
 * knows nothing of changes to come.
 * @returns whether no other license has any of them, now or by a change that is scheduled
 */
export async function holdAssignees(tx: SqlTx, slots: readonly AssigneeSlot[]): Promise<boolean> {
  if (slots.length === 0) return true;
  const { businessId, mode } = tenantOf(tx.ctx);
  const names = slots.map(({ productOfferingId, type, id }) =>
    JSON.stringify(['assignee', businessId, mode, productOfferingId, type, id]),
  );
  await tx.sql(
    'lock_assignees',
    `SELECT pg_advisory_xact_lock(key) FROM (
       SELECT DISTINCT hashtextextended(name, 0) AS key FROM unnest($1::text[]) AS name ORDER BY key OFFSET 0) keys`,
    [names],
  );
  const others = await tx.sql('taken_assignees', taken, [businessId, mode, JSON.stringify(slots)]);
  return others.length === 0;
}

/**
 * The same, where a slot that is taken refuses what is asked for.
 * @throws Error that looks as if the exclusion constraint had been violated, so that `assigneeTaken` answers both
 */
export async function holdFreeAssignees(tx: SqlTx, slots: readonly AssigneeSlot[]): Promise<void> {
  if (await holdAssignees(tx, slots)) return;
  throw Object.assign(new Error('another license has the offering for the assignee'), {
    constraint: 'licenses_assignee_taken',
  });
}

/**
 * What a license takes up of an offering that it has since an instant, or will have from then on, to its end; nothing when it is
 * assigned to nothing.
 * @param since null, or before its start: from its start on
 */
export function slotsOf(license: License, productOfferingId: string, since: Date | null): AssigneeSlot[] {
  const { id: licenseId, assignedToType: type, assignedToId: id } = license;
  const start = startOf(license);
  const from = since !== null && since > start ? since : start;
  const until = latestChange(license);
  if (type === null || id === null || (until !== null && until <= from)) return [];
  return [{ licenseId, productOfferingId, type, id, from, until }];
}

/** From when a license counts; a scheduled activation counts from its instant as soon as it is scheduled. */
function startOf({ status, validFrom, pendingStatus, pendingStatusAt }: License): Date {
  const isEarlier = status === 'PENDING' && pendingStatus === 'ACTIVE' && pendingStatusAt !== null;
  return isEarlier && pendingStatusAt < validFrom ? pendingStatusAt : validFrom;
}
