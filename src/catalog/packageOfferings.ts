import { uuidOf } from '../kernel/id.js';
import { userError, type UserErrorData } from '../kernel/refusal.js';
import { tenantOf } from '../kernel/requestContext.js';
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
 * A step: what speaks against offerings of a package: ProductOfferingNotFound, ProductOfferingUnavailable.
 * @param kept those that came with the package before: archived ones among them may stay
 */
export async function offeringProblems(
  tx: SqlTx,
  ids: readonly string[],
  kept: readonly string[],
): Promise<UserErrorData[]> {
  const found = await tx.sql<{ id: string; status: string }>(
    'offerings_for_package',
    'SELECT id, status FROM product_offerings WHERE business_id = $1 AND id = ANY($2::uuid[])',
    [tenantOf(tx.ctx).businessId, ids],
  );
  const statuses = new Map(found.map(({ id, status }) => [id, status]));
  return ids.flatMap((id, index) => {
    const path = ['input', 'productOfferingIds', index];
    if (!statuses.has(id)) return [missingProductOffering(path)];
    return statuses.get(id) === 'ARCHIVED' && !kept.includes(id) ? [archivedProductOffering(path)] : [];
  });
}
