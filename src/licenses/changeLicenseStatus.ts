import type { License } from '../generated/prisma/client.js';
import { refusal, refuseIfAny, type Refusal, type UserErrorData } from '../kernel/refusal.js';
import { checkLength, presentText } from '../kernel/text.js';
import type { SqlTx } from '../kernel/transaction.js';
import { refuseIfStale } from '../kernel/version.js';
import { carryOutDueChanges } from './carryOutDueChanges.js';
import { lockLicense } from './lockLicense.js';
import { moveLicense } from './moveLicense.js';
import { allowedFrom, licenseEvents, transition, type LicenseEvent } from '../lifecycle/transitions.js';

/** The reason that a caller gave for the history, trimmed; null: none. Refuses with InvalidInput. */
export function checkedReason(given: string | null | undefined): string | null {
  const reason = presentText(given);
  const problems: UserErrorData[] = [];
  checkLength(problems, ['input', 'reason'], reason, 1, 2000);
  refuseIfAny(problems);
  return reason;
}

/**
 * A step: does one thing to a license now, with its effect on grants and keys. Locks the row first, then carries out what is
 * due, so that a license is judged by where it truly stands. `expectedVersion` means the version that readers saw.
 * @throws Refusal LicenseNotFound, ModeMismatch, BrandMismatch, StaleObject, IllegalTransition
 */
export async function changeLicenseStatus(
  tx: SqlTx,
  input: { licenseId: string; expectedVersion?: number | null },
  event: LicenseEvent,
  reason: string | null,
): Promise<{ licenseId: string }> {
  const stored = await lockLicense(tx, input.licenseId);
  refuseIfStale(stored, input.expectedVersion);
  const license = await carryOutDueChanges(tx, stored);
  const to = transition(license.status, event, license.statusBeforeBlock);
  if (to === null) throw illegal(license, event);
  await moveLicense(tx, license, { event, to, reason });
  return { licenseId: license.id };
}

function illegal({ status, statusBeforeBlock }: License, event: LicenseEvent): Refusal {
  const next = allowedFrom(status, statusBeforeBlock);
  const what = next.map((one) => `\`${one.event}License\``).join(', ');
  const advice = next.length > 0 ? `Applicable are: ${what}.` : 'That is final.';
  return refusal(
    'IllegalTransition',
    ['input', 'licenseId'],
    `The license is ${status}: \`${event}License\` does not apply. ${advice}`,
    { from: status, to: licenseEvents[event].asksFor, allowed: next.map((one) => one.to) },
  );
}
