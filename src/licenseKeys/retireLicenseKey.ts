import { recordChange } from '../events/recordChange.js';
import type { LicenseKey } from '../generated/prisma/client.js';
import { tenantOf } from '../kernel/requestContext.js';
import { columnsOf } from '../kernel/rows.js';
import type { SqlTx } from '../kernel/transaction.js';
import { isCancelled } from '../lifecycle/effective.js';

/** Which key to switch off because its grant or license ended for good, and why. */
export interface KeyToRetire {
  readonly licenseKeyId: string;
  /** The license that gives up the key; null: none does, so that any other keeps it working. */
  readonly licenseId: string | null;
  readonly reason: string | null;
}

/**
 * A step: switches a key off whose grant or license ended for good, and records `license_key.disabled`. Does nothing when it is
 * off already, or when a license other than the named one uses it that is not cancelled; a scheduled cancellation counts from its instant on.
 * Locks the key, so of several licenses that give it up at once, the last one switches it off; lock several keys by their ids.
 * @returns whether the key was switched off now
 */
export async function retireLicenseKey(tx: SqlTx, { licenseKeyId, licenseId, reason }: KeyToRetire): Promise<boolean> {
  const { businessId, mode } = tenantOf(tx.ctx);
  // Whoever gives up the key at the same time waits here, and then sees this license given up.
  await tx.sql(
    'lock_key_to_retire',
    'SELECT 1 AS one FROM license_keys WHERE business_id = $1 AND mode = $2 AND id = $3 FOR NO KEY UPDATE',
    [businessId, mode, licenseKeyId],
  );
  const [disabled] = await tx.sql<LicenseKey>(
    'retire_license_key',
    `UPDATE license_keys k SET status = 'DISABLED', disabled_at = $5, disabled_reason = $6, version = version + 1, updated_at = $5
      WHERE k.business_id = $1 AND k.mode = $2 AND k.id = $3 AND k.status = 'ACTIVE' AND NOT EXISTS (
        SELECT 1 FROM license_key_bindings b
          JOIN licenses l ON l.business_id = b.business_id AND l.mode = b.mode AND l.id = b.license_id
          WHERE b.business_id = $1 AND b.mode = $2 AND b.license_key_id = $3 AND l.id IS DISTINCT FROM $4::uuid
            AND NOT ${isCancelled('$5', 'l')})
      RETURNING ${columnsOf('LicenseKey', 'k')}`,
    [businessId, mode, licenseKeyId, licenseId, tx.ctx.now, reason],
  );
  if (!disabled) return false;
  recordChange(tx, {
    type: 'license_key.disabled',
    objectType: 'LicenseKey',
    objectId: licenseKeyId,
    sequence: disabled.version,
    before: { status: 'ACTIVE', disabledAt: null },
    after: { status: 'DISABLED', disabledAt: disabled.disabledAt },
    snapshot: disabled,
    reason,
  });
  return true;
}
