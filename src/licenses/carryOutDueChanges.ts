import type { License } from '../generated/prisma/client.js';
import { asServer } from '../kernel/asServer.js';
import type { SqlTx } from '../kernel/transaction.js';
import { after, nextDueChange, type DueChange } from '../lifecycle/dueChanges.js';
import { allowedFrom } from '../lifecycle/transitions.js';
import { carryOutOfferingChange } from './carryOutOfferingChange.js';
import { expireLicense } from './expireLicense.js';
import { findPredecessor } from './findRenewal.js';
import { moveLicense } from './moveLicense.js';
import { writeLicense } from './writeLicense.js';

/** More than can be due of one license: start, status, offering and expiry. */
const MOST = 8;

/**
 * A step: writes what has become true of a locked license by itself, as the worker would: each change by the server, dated with
 * its own instant. A renewal that starts takes over what the license before it grants then: what is due of that one goes first,
 * whoever comes first. Renewals are locked before what they renew, everywhere.
 * @returns the license as it then is
 */
export async function carryOutDueChanges(tx: SqlTx, stored: License): Promise<License> {
  const isStarting = stored.status === 'PENDING' && nextDueChange(stored, tx.ctx.now) !== null;
  const renewed = isStarting ? await findPredecessor(tx, stored.id, 'LOCK') : null;
  if (renewed) await carryOutDueChanges(tx, renewed);
  let license = stored;
  for (let i = 0; i < MOST; i++) {
    const due = nextDueChange(license, tx.ctx.now);
    if (!due) return license;
    license = await carryOut(asServer(tx, due.at), license, due);
  }
  throw new Error(`changes of license ${stored.id} stay due however often they are carried out`);
}

async function carryOut(tx: SqlTx, license: License, due: DueChange): Promise<License> {
  switch (due.kind) {
    case 'STATUS':
      return carryOutStatus(tx, license, due);
    case 'OFFERING':
      return carryOutOfferingChange(tx, license, due);
    case 'EXPIRY':
      return expireLicense(tx, license);
  }
}

/** A scheduled status that is not legal any more can only come from outside the program: it is dropped, not kept for ever. */
async function carryOutStatus(
  tx: SqlTx,
  license: License,
  { to, at }: Extract<DueChange, { kind: 'STATUS' }>,
): Promise<License> {
  const next = allowedFrom(license.status, license.statusBeforeBlock).find((one) => one.to === to);
  if (next) return moveLicense(tx, license, { ...next, reason: null });
  return writeLicense(tx, license, after(license, to, at), { type: 'license.change_cancelled', reason: null });
}
