import { recordChange } from '../events/recordChange.js';
import type { LicenseKeySource } from '../generated/prisma/client.js';
import { newId } from '../kernel/id.js';
import { tenantOf } from '../kernel/requestContext.js';
import { encrypt } from '../kernel/secret.js';
import type { Metadata } from '../kernel/text.js';
import type { SqlTx } from '../kernel/transaction.js';
import { lookupRows } from './keyHmacs.js';
import { last4 } from './licenseKey.js';

/** A key to store. */
export interface NewLicenseKey {
  readonly customerId: string;
  /** The license that it hangs on from the start; null: none yet. */
  readonly licenseId: string | null;
  /** As it shall be shown, without white space at its ends; or one that was drawn from a pool. */
  readonly key: string | DrawnKey;
  readonly source: LicenseKeySource;
  /** Null: any number of devices. */
  readonly activationsLimit: number | null;
  /** Null: it does not stop working by itself. */
  readonly expiresAt: Date | null;
  readonly metadata?: Metadata;
}

/** A key that was drawn from a pool: stored already, with its look-up values; it keeps its id and ciphertext. */
export interface DrawnKey {
  readonly id: string;
  readonly keyCiphertext: Uint8Array;
  readonly last4: string;
}

/**
 * A step: stores a key, hangs it on its license and records `license_key.created`; buffered, so no round trip of its own. The
 * text is kept encrypted for its row alone, and found by HMACs. The license must have been inserted or remembered before. A
 * text that the business knows already violates a primary key when the rows are written: give `licenseKeyTaken` to the
 * transaction.
 */
export function addLicenseKey(tx: SqlTx, given: NewLicenseKey): { id: string } {
  const { now, keyring } = tx.ctx;
  const tenant = tenantOf(tx.ctx);
  const { licenseId, key, metadata = {}, ...columns } = given;
  const drawn = typeof key === 'string' ? sealedKey(tx, key) : key;
  const { id } = drawn;
  const row = {
    ...tenant,
    ...columns,
    ...drawn,
    metadata,
    status: 'ACTIVE' as const,
    activationsUsed: 0,
    disabledAt: null,
    disabledReason: null,
    version: 1,
    createdAt: now,
    updatedAt: now,
  };
  // Ciphertexts and look-up values are bytes, which Prisma types more narrowly than PostgreSQL takes them.
  tx.insert('license_keys', row as never);
  if (typeof key === 'string') {
    const lookups = lookupRows(keyring, tenant, key, { licenseKeyId: id, poolKeyId: null });
    tx.insert('license_key_lookups', ...(lookups as never[]));
  }
  if (licenseId) tx.insert('license_key_bindings', { ...tenant, licenseKeyId: id, licenseId, createdAt: now });
  recordChange(tx, { type: 'license_key.created', objectType: 'LicenseKey', objectId: id, sequence: 1, snapshot: row });
  return { id };
}

/** A new row's id and what it keeps of its key. */
export function sealedKey({ ctx }: Pick<SqlTx, 'ctx'>, key: string, id = newId()): DrawnKey {
  const { businessId, mode } = tenantOf(ctx);
  return { id, keyCiphertext: encrypt(ctx.keyring.encryption, key, [businessId, mode, id]), last4: last4(key) };
}
