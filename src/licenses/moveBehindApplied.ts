import type { License } from '../generated/prisma/client.js';
import { refusal } from '../kernel/refusal.js';
import { tenantOf } from '../kernel/requestContext.js';
import { columnsOf } from '../kernel/rows.js';
import type { SqlTx } from '../kernel/transaction.js';
import { activeKeysOf } from '../licenseKeys/bindKeys.js';
import { isCancelled } from '../lifecycle/effective.js';
import { findPredecessor, findRenewal } from './findRenewal.js';
import { alreadyRenewed } from './renewal.js';

/** Where a license goes when it is applied behind another one. */
export interface MoveBehind {
  /** The keys on which it goes on. */
  readonly keyIds: readonly string[];
  /** Keys of its own, which it gives up for those. */
  readonly ownKeyIds: readonly string[];
  readonly change: Pick<
    License,
    'status' | 'validFrom' | 'validUntil' | 'activatedAt' | 'pendingStatus' | 'pendingStatusAt'
  >;
}

/**
 * A step: what happens to the window of a locked license when a customer applies it: behind the last license of the same package
 * that the customer has applied and that goes on, on that one's keys, as long as it is. Null: there is none, or it stands there
 * already. Applications of one package by one customer wait for each other, so that no two move to the same place.
 * @param path what names the license in the input
 * @throws Refusal LicensePermanent, LicenseAlreadyRenewed
 */
export async function moveBehindApplied(
  tx: SqlTx,
  license: License,
  { customerId, path }: { customerId: string; path: string[] },
): Promise<MoveBehind | null> {
  if (license.packageId === null) return null;
  const last = await lastApplied(tx, license, customerId);
  if (!last) return null;
  const [keyIds, ownKeyIds] = [await activeKeysOf(tx, last.id), await activeKeysOf(tx, license.id)];
  if (ownKeyIds.some((id) => keyIds.includes(id)) || (await findPredecessor(tx, license.id))) return null;
  const renewal = await findRenewal(tx, license);
  if (renewal) throw alreadyRenewed(renewal.id, 'Cancel it first: the license would move into its time.', path);
  const start = keyIds.length > 0 ? await endOfKeys(tx, keyIds) : last.validUntil;
  if (start === null) {
    const message = 'A permanent license of the package has been applied already: this one would never start.';
    throw refusal('LicensePermanent', path, message);
  }
  return { keyIds, ownKeyIds: keyIds.length > 0 ? ownKeyIds : [], change: movedTo(license, start) };
}

/** As long as it was, and pending until then. A scheduled stop that would come before its start has no sense any more. */
function movedTo(license: License, start: Date): MoveBehind['change'] {
  const { validFrom, validUntil, pendingStatus, pendingStatusAt } = license;
  const isKept = pendingStatus === 'CANCELLED';
  return {
    status: 'PENDING',
    validFrom: start,
    validUntil: validUntil && new Date(start.getTime() + validUntil.getTime() - validFrom.getTime()),
    activatedAt: null,
    pendingStatus: isKept ? pendingStatus : null,
    pendingStatusAt: isKept ? pendingStatusAt : null,
  };
}

async function lastApplied(tx: SqlTx, license: License, customerId: string): Promise<License | null> {
  const { businessId, mode, packageId, id } = license;
  await tx.sql('lock_applications', 'SELECT pg_advisory_xact_lock(hashtextextended($1, 0))', [
    JSON.stringify(['applied', businessId, mode, customerId, packageId]),
  ]);
  const [last] = await tx.sql<License>(
    'last_applied_license',
    `SELECT ${columnsOf('License', 'l')} FROM licenses l
      WHERE l.business_id = $1 AND l.mode = $2 AND l.used_by_id = $3 AND l.package_id = $4 AND l.id <> $5
        AND (l.valid_until IS NULL OR l.valid_until > $6) AND NOT ${isCancelled('$6::timestamptz', 'l')}
      ORDER BY l.valid_until DESC NULLS FIRST, l.id LIMIT 1 FOR NO KEY UPDATE`,
    [businessId, mode, customerId, packageId, id, tx.ctx.now],
  );
  return last ?? null;
}

/** When the last license on these keys ends; null: never. */
async function endOfKeys(tx: SqlTx, keyIds: readonly string[]): Promise<Date | null> {
  const { businessId, mode } = tenantOf(tx.ctx);
  const [end] = await tx.sql<{ isNever: boolean; until: Date }>(
    'end_of_keys',
    `SELECT bool_or(upper_inf(occupies)) AS "isNever", max(upper(occupies)) AS until FROM license_key_bindings
      WHERE business_id = $1 AND mode = $2 AND license_key_id = ANY ($3::uuid[]) AND NOT isempty(occupies)`,
    [businessId, mode, keyIds],
  );
  return end === undefined || end.isNever ? null : end.until;
}
