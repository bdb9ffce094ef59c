import { recordChange } from '../events/recordChange.js';
import type { LicenseKeySource } from '../generated/prisma/client.js';
import { newId } from '../kernel/id.js';
import { tenantOf } from '../kernel/requestContext.js';
import { encrypt } from '../kernel/secret.js';
import type { SqlTx } from '../kernel/transaction.js';
import { currentKeyHmac } from './keyHmacs.js';
import { last4 } from './licenseKey.js';

/** A key to store. */
export interface NewLicenseKey {
  readonly customerId: string;
  /** The license that it hangs on from the start; null: none yet. */
  readonly licenseId: string | null;
  /** As it shall be shown, without white space at its ends. */
  readonly key: string;
  readonly source: LicenseKeySource;
  /** Null: any number of devices. */
  readonly activationsLimit: number | null;
  /** Null: it does not stop working by itself. */
  readonly expiresAt: Date | null;
}

/**
 * A step: stores a key, hangs it on its license and records `license_key.created`; buffered, so no round trip of its own. The
 * text is kept encrypted for its row alone, and found by an HMAC. The license must have been inserted or remembered before.
 * A key that the business has already violates a unique index when the rows are written: give `licenseKeyTaken` to the
 * transaction.
 */
export function addLicenseKey(tx: SqlTx, given: NewLicenseKey): { id: string } {
  const { now, keyring } = tx.ctx;
  const tenant = tenantOf(tx.ctx);
  const { licenseId, key, ...columns } = given;
  const id = newId();
  const row = {
    ...tenant,
    id,
    ...columns,
    ...currentKeyHmac(keyring, tenant, key),
    keyCiphertext: encrypt(keyring.encryption, key, [tenant.businessId, tenant.mode, id]),
    last4: last4(key),
    status: 'ACTIVE' as const,
    activationsUsed: 0,
    disabledAt: null,
    version: 1,
    createdAt: now,
    updatedAt: now,
  };
  // The two look-up values are bytes, which Prisma types more narrowly than PostgreSQL takes them.
  tx.insert('license_keys', row as never);
  if (licenseId) tx.insert('license_key_bindings', { ...tenant, licenseKeyId: id, licenseId, createdAt: now });
  recordChange(tx, { type: 'license_key.created', objectType: 'LicenseKey', objectId: id, sequence: 1, snapshot: row });
  return { id };
}
