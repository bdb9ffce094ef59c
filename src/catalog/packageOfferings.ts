import { recordChange } from '../events/recordChange.js';
import type { Package } from '../generated/prisma/client.js';
import { uuidOf } from '../kernel/id.js';
import { userError, type UserErrorData } from '../kernel/refusal.js';
import { tenantOf } from '../kernel/requestContext.js';
import { columnsOf } from '../kernel/rows.js';
import type { SqlTx } from '../kernel/transaction.js';
import { archivedProductOffering } from './archived.js';
import { missingProductOffering } from './notFound.js';

const MAX_OFFERINGS = 50;

/** Adds a problem when more offerings are given than a package can have. */
export function checkOfferingCount(problems: UserErrorData[], given: readonly string[] | null | undefined): void {
  const offerings = given?.length ?? 0;
  if (offerings <= MAX_OFFERINGS) return;
  const message = `Give at most ${MAX_OFFERINGS} offerings; there are ${offerings}.`;
  problems.push(userError('InvalidInput', ['input', 'productOfferingIds'], message));
}

/** The offerings that `productOfferingIds` names, each once. */
export function offeringIdsOf(given: readonly string[] | null): string[] {
  return [...new Set((given ?? []).map((id) => uuidOf('ProductOffering', id)))];
}

/**
 * A step: what speaks against offerings of a package: ProductOfferingNotFound, ProductOfferingUnavailable. Those that are there
 * are locked against changes, so that none is archived or superseded meanwhile.
 * @param kept those that came with the package before: archived ones among them may stay
 */
export async function offeringProblems(
  tx: SqlTx,
  ids: readonly string[],
  kept: readonly string[],
): Promise<UserErrorData[]> {
  const found = await tx.sql<{ id: string; status: string }>(
    'offerings_for_package',
    `SELECT id, status FROM product_offerings WHERE business_id = $1 AND id = ANY($2::uuid[])
      ORDER BY id FOR SHARE`,
    [tenantOf(tx.ctx).businessId, ids],
  );
  const statuses = new Map(found.map(({ id, status }) => [id, status]));
  return ids.flatMap((id, index) => {
    const path = ['input', 'productOfferingIds', index];
    if (!statuses.has(id)) return [missingProductOffering(path)];
    return statuses.get(id) !== 'AVAILABLE' && !kept.includes(id) ? [archivedProductOffering(path)] : [];
  });
}

/** A step: locks the packages that an offering comes with against other changes. */
export async function lockPackagesWith(tx: SqlTx, productOfferingId: string): Promise<void> {
  await tx.sql(
    'lock_packages_with_offering',
    `SELECT id FROM packages WHERE business_id = $1 AND id IN (
       SELECT package_id FROM package_offerings WHERE business_id = $1 AND product_offering_id = $2)
      ORDER BY id FOR NO KEY UPDATE`,
    [tenantOf(tx.ctx).businessId, productOfferingId],
  );
}

/** A step: puts a new offering in the place that another one has in packages, and records it for each of them. */
export async function putInPlace(tx: SqlTx, former: string, later: string): Promise<void> {
  const { businessId } = tenantOf(tx.ctx);
  const moved = await tx.sql<{ id: string }>(
    'put_offering_in_place',
    `UPDATE package_offerings SET product_offering_id = $3 WHERE business_id = $1 AND product_offering_id = $2
     RETURNING package_id AS id`,
    [businessId, former, later],
  );
  const packages = await tx.sql<Package & { productOfferingIds: string[] }>(
    'offerings_of_packages_changed',
    `UPDATE packages p SET version = version + 1, updated_at = $3 WHERE business_id = $1 AND id = ANY($2::uuid[])
     RETURNING ${columnsOf('Package', 'p')}, (
       SELECT array_agg(o.product_offering_id::text ORDER BY o.product_offering_id) FROM package_offerings o
        WHERE o.business_id = p.business_id AND o.package_id = p.id) AS "productOfferingIds"`,
    [businessId, moved.map(({ id }) => id), tx.ctx.now],
  );
  for (const row of packages) {
    const { productOfferingIds } = row;
    recordChange(tx, {
      type: 'package.updated',
      objectType: 'Package',
      objectId: row.id,
      sequence: row.version,
      before: { productOfferingIds: productOfferingIds.map((id) => (id === later ? former : id)) },
      after: { productOfferingIds },
      snapshot: row,
    });
  }
}
