import type { License } from '../generated/prisma/client.js';
import type { SqlTx } from '../kernel/transaction.js';
import type { DueChange } from '../lifecycle/dueChanges.js';
import { changeOffering } from './changeOffering.js';
import { findOfferings } from './findOfferings.js';
import { holdAssignees, slotsOf } from './holdAssignees.js';
import { recordLicenseUpdate } from './recordLicenseUpdate.js';

/**
 * A step: a locked license goes over to another offering, and to what that one gives, from `tx.ctx.now` on. Where the assignee has a
 * license of the other offering at that time, which can only come of a change that looked further than this one, the change is
 * dropped instead, and that is recorded: a due change must not fail for ever.
 * @returns the license as it then is
 */
export async function carryOutOfferingChange(
  tx: SqlTx,
  license: License,
  { productOfferingId, at }: Extract<DueChange, { kind: 'OFFERING' }>,
): Promise<License> {
  const present = license.productOfferingId as string;
  const offerings = await findOfferings(tx, [present, productOfferingId]);
  const [from, to] = [offerings.get(present), offerings.get(productOfferingId)];
  const isFree = await holdAssignees(tx, slotsOf(license, productOfferingId, at));
  if (from && to && isFree) return changeOffering(tx, license, { from, to, changeDate: at }, null);
  const dropped = { pendingOfferingId: null, pendingOfferingAt: null };
  const reason = 'Another license of that offering is assigned to the assignee.';
  return recordLicenseUpdate(tx, 'license.change_cancelled', license, dropped, reason);
}
