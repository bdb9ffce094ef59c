import type { UpdateDiscountInput } from '../generated/graphql.js';
import type { Discount } from '../generated/prisma/client.js';
import { refuseIfAny, userError, type UserErrorData } from '../kernel/refusal.js';
import type { RequestContext } from '../kernel/requestContext.js';
import { checkNotNull, mergedMetadataWithin } from '../kernel/text.js';
import { inTransaction, type Tx } from '../kernel/transaction.js';
import { refuseIfStale } from '../kernel/version.js';
import { changeDiscount } from './changeDiscount.js';
import { countUses, countUsesOfCustomers } from './countUses.js';
import { checkWhole, givenColumns } from './discountInput.js';
import { limitedTo } from './limitedTo.js';
import { lockDiscount, refuseIfArchived } from './lockDiscount.js';

/**
 * Changes what a discount does from now on: absent leaves, null clears, metadata merges, lists are replaced as a whole. Purchases
 * that redeem it just now come first, with the terms that they read. What was redeemed keeps its amounts.
 * @throws Refusal InvalidInput, InvalidAmount, InvalidCurrency, InvalidExpiry, whatever `limitedTo` refuses, DiscountNotFound,
 *   ModeMismatch, DiscountArchived, StaleObject
 */
export async function updateDiscount(ctx: RequestContext, input: UpdateDiscountInput): Promise<{ discountId: string }> {
  const problems: UserErrorData[] = [];
  const columns = givenColumns(problems, input);
  checkNotNull(problems, input, 'isCombinable', 'stackingOrder');
  refuseIfAny(problems);
  return inTransaction(ctx, async (tx) => {
    // Customers before the discount: whoever erases a customer locks them in that order.
    const limits = await limitedTo(tx, input);
    const current = await lockDiscount(tx, input.discountId, 'ALONE');
    refuseIfArchived(current);
    refuseIfStale(current, input.expectedVersion);
    const metadata = mergedMetadataWithin(current.metadata, input.metadata);
    const change = { ...columns, ...limits, metadata, ...(await newCounts(tx, current, columns)) };
    checkResult({ ...current, ...change });
    await changeDiscount(tx, 'discount.updated', current, change);
    return { discountId: current.id };
  });
}

/** Uses are counted while there is a limit: where there is a new one, what was redeemed before is counted now. */
async function newCounts(tx: Tx, current: Discount, change: Partial<Discount>): Promise<Partial<Discount>> {
  if (change.usageLimitPerCustomer && current.usageLimitPerCustomer === null)
    await countUsesOfCustomers(tx, current.id);
  if (!change.usageLimit || current.usageLimit !== null) return {};
  return { usedCount: await countUses(tx, current.id) };
}

function checkResult(discount: Discount): void {
  const problems: UserErrorData[] = [];
  checkWhole(problems, discount);
  const { usageLimit, usedCount } = discount;
  if (usageLimit !== null && usageLimit < usedCount) {
    const message = `It was redeemed ${usedCount} times. Give at least that, which closes it.`;
    problems.push(userError('InvalidInput', ['input', 'usageLimit'], message));
  }
  refuseIfAny(problems);
}
