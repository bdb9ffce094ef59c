import { recordUpdate } from '../events/recordUpdate.js';
import type { ArchiveProductOfferingInput } from '../generated/graphql.js';
import { lockShared } from '../kernel/lockShared.js';
import { Refusal } from '../kernel/refusal.js';
import type { RequestContext } from '../kernel/requestContext.js';
import { inSqlTransaction } from '../kernel/transaction.js';
import { refuseUnavailable } from './lockOffering.js';
import { missingProductOffering } from './notFound.js';

/**
 * Archives an offering; packages that it comes with keep it. Archiving again changes nothing. A superseded one is refused, lest
 * the caller believe that its newest revision were sold no more.
 * @throws Refusal ProductOfferingNotFound, ProductOfferingSuperseded
 */
export async function archiveProductOffering(
  ctx: RequestContext,
  input: ArchiveProductOfferingInput,
): Promise<{ productOfferingId: string }> {
  return inSqlTransaction(ctx, async (tx) => {
    const current = await lockShared(tx, 'ProductOffering', input.productOfferingId);
    if (!current) throw new Refusal([missingProductOffering(['input', 'productOfferingId'])]);
    if (current.status !== 'ARCHIVED') {
      await refuseUnavailable(tx, current);
      const change = { status: 'ARCHIVED' } as const;
      await recordUpdate(tx, 'product_offering.archived', { model: 'ProductOffering', current, change });
    }
    return { productOfferingId: current.id };
  });
}
