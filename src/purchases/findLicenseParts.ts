import { besideEntitlementsOfPackage } from '../entitlements/entitlementsOf.js';
import type { Entitlement } from '../generated/prisma/client.js';
import { candidateNumbers, takenNumbers, type LookedUpNumbers } from '../kernel/drawNumber.js';
import { tenantOf } from '../kernel/requestContext.js';
import type { SqlTx } from '../kernel/transaction.js';
import { keyMakerOf, patternsForPackage, type KeyMaker, type PatternRow } from '../licenseKeys/keyMaker.js';

/** What the licenses of a package, and their order, are made with. */
export interface LicenseParts {
  readonly entitlements: readonly Entitlement[];
  readonly maker: KeyMaker;
  readonly orderNumber: LookedUpNumbers;
  readonly licenseNumbers: LookedUpNumbers;
}

interface PartsRow extends Omit<Entitlement, 'id'> {
  id: string | null;
  takenOrders: string[];
  takenLicenses: string[];
  patterns: PatternRow[] | null;
}

const made = `(SELECT ${takenNumbers('Order', '$4')} AS "takenOrders", ${takenNumbers('License', '$5')} AS "takenLicenses",
    ${patternsForPackage('$3')} AS patterns) made`;
const text = besideEntitlementsOfPackage('made.*', made, '$3');

/**
 * A step, one statement: what a package grants, how its keys are made, and numbers. To be sent once the package is locked, so that
 * it reads what stays attached.
 */
export async function findLicenseParts(tx: SqlTx, packageId: string, quantity: number): Promise<LicenseParts> {
  const { businessId, mode } = tenantOf(tx.ctx);
  const [orders, licenses] = [candidateNumbers('Order', 1), candidateNumbers('License', quantity)];
  const values = [businessId, mode, packageId, JSON.stringify(orders), JSON.stringify(licenses)];
  const rows = await tx.sql<PartsRow>('find_license_parts', text, values);
  const { takenOrders, takenLicenses, patterns } = rows[0] as PartsRow;
  return {
    entitlements: rows.filter((row): row is PartsRow & Entitlement => row.id !== null),
    maker: keyMakerOf(patterns ?? []),
    orderNumber: { drawn: orders, taken: takenOrders },
    licenseNumbers: { drawn: licenses, taken: takenLicenses },
  };
}
