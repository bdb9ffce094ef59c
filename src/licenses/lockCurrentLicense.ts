import type { License } from '../generated/prisma/client.js';
import type { SqlTx } from '../kernel/transaction.js';
import { refuseIfStale } from '../kernel/version.js';
import { carryOutDueChanges } from './carryOutDueChanges.js';
import { lockLicense } from './lockLicense.js';

/**
 * A step: the license that an input names, locked, once what is due has been carried out: as it truly stands. `expectedVersion`
 * means the version that readers saw.
 * @throws Refusal LicenseNotFound, ModeMismatch, BrandMismatch, StaleObject
 */
export async function lockCurrentLicense(
  tx: SqlTx,
  { licenseId, expectedVersion }: { licenseId: string; expectedVersion?: number | null },
): Promise<License> {
  const stored = await lockLicense(tx, licenseId);
  refuseIfStale(stored, expectedVersion);
  return carryOutDueChanges(tx, stored);
}
