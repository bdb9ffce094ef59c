import type { License } from '../generated/prisma/client.js';
import { refusal, type Refusal } from '../kernel/refusal.js';
import type { SqlTx } from '../kernel/transaction.js';
import { refuseIfStale } from '../kernel/version.js';
import { asOf } from '../lifecycle/dueChanges.js';
import { allowedFrom, licenseEvents, transition, type LicenseEvent } from '../lifecycle/transitions.js';
import { carryOutDueChanges } from './carryOutDueChanges.js';
import { checkedReason } from './checkedReason.js';
import { lockLicense } from './lockLicense.js';
import { moveLicense } from './moveLicense.js';
import { scheduleStatus } from './scheduleStatus.js';

/** What the mutations that change a license's status take. */
export interface LicenseStatusInput {
  readonly licenseId: string;
  /** From when; absent or now: at once. */
  readonly at?: Date | null;
  readonly expectedVersion?: number | null;
  readonly reason?: string | null;
}

/**
 * A step: does one thing to a license, now or at a scheduled instant, with its effect on grants and keys. Locks the row first,
 * then carries out what is due, so that a license is judged by where it truly stands: now, or at that instant without what is
 * scheduled just now, which gives way. `expectedVersion` means the version that readers saw.
 * @throws Refusal InvalidInput, LicenseNotFound, ModeMismatch, BrandMismatch, StaleObject, IllegalTransition; and what
 *   `windowTaken` says of violated constraints
 */
export async function changeLicenseStatus(
  tx: SqlTx,
  input: LicenseStatusInput,
  event: LicenseEvent,
): Promise<{ licenseId: string }> {
  const reason = checkedReason(tx, input);
  const stored = await lockLicense(tx, input.licenseId);
  refuseIfStale(stored, input.expectedVersion);
  const license = await carryOutDueChanges(tx, stored);
  const at = input.at && input.at > tx.ctx.now ? input.at : null;
  const then = at ? asOf({ ...license, pendingStatus: null, pendingStatusAt: null }, at) : license;
  const to = transition(then.status, event, then.statusBeforeBlock);
  if (to === null) throw illegal(then, event, at);
  if (at) await scheduleStatus(tx, license, { to, at, reason });
  else await moveLicense(tx, license, { event, to, reason });
  return { licenseId: license.id };
}

function illegal({ status, statusBeforeBlock }: License, event: LicenseEvent, at: Date | null): Refusal {
  const next = allowedFrom(status, statusBeforeBlock);
  const what = next.map((one) => `\`${one.event}License\``).join(', ');
  const advice = next.length > 0 ? `Applicable are: ${what}.` : 'That is final.';
  return refusal(
    'IllegalTransition',
    at ? ['input', 'at'] : ['input', 'licenseId'],
    `The license ${at ? 'will be' : 'is'} ${status}${at ? ' then' : ''}: \`${event}License\` does not apply. ${advice}`,
    { from: status, to: licenseEvents[event].asksFor, allowed: next.map((one) => one.to) },
  );
}
