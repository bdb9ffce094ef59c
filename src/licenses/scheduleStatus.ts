import type { License, LicenseStatus } from '../generated/prisma/client.js';
import type { SqlTx } from '../kernel/transaction.js';
import { holdFreeAssignees, slotsOf } from './holdAssignees.js';
import { writeLicense } from './writeLicense.js';

/**
 * A step: schedules a legal change of status of a locked license, in place of what was scheduled before; the record tells both.
 * Scheduling again what is scheduled already does nothing. The time that the license occupies follows at once: a scheduled
 * cancellation ends it, a scheduled activation begins it. So does that of an offering to come, which may not become another one's:
 * a due change of offering would be dropped.
 */
export async function scheduleStatus(
  tx: SqlTx,
  license: License,
  { to, at, reason }: { to: LicenseStatus; at: Date; reason: string | null },
): Promise<void> {
  if (license.pendingStatus === to && license.pendingStatusAt?.getTime() === at.getTime()) return;
  const next = { ...license, pendingStatus: to, pendingStatusAt: at };
  const { pendingOfferingId, pendingOfferingAt } = license;
  if (pendingOfferingId !== null) await holdFreeAssignees(tx, slotsOf(next, pendingOfferingId, pendingOfferingAt));
  await writeLicense(tx, license, next, { type: 'license.change_scheduled', reason });
}
