import type { License } from '../generated/prisma/client.js';
import { tenantOf } from '../kernel/requestContext.js';
import type { SqlTx } from '../kernel/transaction.js';
import type { DueChange } from '../lifecycle/dueChanges.js';
import { afterDue } from '../lifecycle/dueChanges.js';
import { writeLicense } from './writeLicense.js';

type OfferingChange = Extract<DueChange, { kind: 'OFFERING' }>;

/**
 * A step: a locked license goes over to another offering, and to that one's type, from `tx.ctx.now` on. Where the assignee has a
 * license of the other offering at that time, the change is dropped instead: a due change must not fail for ever.
 * @returns the license as it then is
 */
export async function carryOutOfferingChange(tx: SqlTx, license: License, change: OfferingChange): Promise<License> {
  const { businessId, mode } = tenantOf(tx.ctx);
  const [offering] = await tx.sql<{ type: string; isTaken: boolean }>(
    'offering_to_change_to',
    `SELECT o.license_type AS type, EXISTS (SELECT 1 FROM licenses l JOIN licenses own
        ON own.business_id = $1 AND own.mode = $2 AND own.id = $3
        WHERE l.business_id = $1 AND l.mode = $2 AND l.product_offering_id = o.id AND l.id <> own.id
          AND l.assigned_to_type = own.assigned_to_type AND l.assigned_to_id = own.assigned_to_id
          AND l.occupies && own.occupies) AS "isTaken"
      FROM product_offerings o WHERE o.business_id = $1 AND o.id = $4`,
    [businessId, mode, license.id, change.productOfferingId],
  );
  const next = afterDue(license, change);
  if (!offering || offering.isTaken) {
    const dropped = { ...license, pendingOfferingId: null, pendingOfferingAt: null };
    return writeLicense(tx, license, dropped, { type: 'license.change_cancelled', reason: null });
  }
  return writeLicense(
    tx,
    license,
    { ...next, type: offering.type },
    { type: 'license.offering_changed', reason: null },
  );
}
