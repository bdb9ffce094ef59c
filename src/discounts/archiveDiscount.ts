import type { ArchiveDiscountInput } from '../generated/graphql.js';
import type { RequestContext } from '../kernel/requestContext.js';
import { inTransaction } from '../kernel/transaction.js';
import { refuseIfStale } from '../kernel/version.js';
import { changeDiscount } from './changeDiscount.js';
import { lockDiscount } from './lockDiscount.js';

/**
 * Archives a discount: none of its codes is redeemed any more; purchases that redeem it just now come first. Archiving again
 * changes nothing.
 * @throws Refusal DiscountNotFound, ModeMismatch, StaleObject
 */
export async function archiveDiscount(
  ctx: RequestContext,
  input: ArchiveDiscountInput,
): Promise<{ discountId: string }> {
  return inTransaction(ctx, async (tx) => {
    const current = await lockDiscount(tx, input.discountId, 'ALONE');
    if (current.archivedAt) return { discountId: current.id };
    refuseIfStale(current, input.expectedVersion);
    await changeDiscount(tx, 'discount.archived', current, { archivedAt: ctx.now });
    return { discountId: current.id };
  });
}
