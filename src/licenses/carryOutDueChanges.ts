import type { License } from '../generated/prisma/client.js';
import { tenantOf } from '../kernel/requestContext.js';
import type { SqlTx } from '../kernel/transaction.js';
import { moveLicense } from './moveLicense.js';
import { allowedFrom, dueChanges } from './transitions.js';

/**
 * A step: writes what has become true of a locked license by itself, as the worker would: each change by the server, dated with
 * its own instant.
 * @returns the license as it then is
 */
export async function carryOutDueChanges(tx: SqlTx, stored: License): Promise<License> {
  let license = stored;
  for (const { to, at } of dueChanges(stored, tx.ctx.now)) {
    const next = allowedFrom(license.status, license.statusBeforeBlock).find((one) => one.to === to);
    if (!next) throw new Error(`license ${license.id} is ${license.status} and was scheduled to become ${to}`);
    license = await moveLicense(asServer(tx, at), license, { ...next, reason: null });
  }
  return license;
}

function asServer(tx: SqlTx, at: Date): SqlTx {
  const viewer = { principal: 'SYSTEM' as const, ...tenantOf(tx.ctx), brandId: null };
  return { ...tx, ctx: { ...tx.ctx, viewer, now: at, actor: null } };
}
