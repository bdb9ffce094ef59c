import { recordUpdate } from '../events/recordUpdate.js';
import type { UpdatePackagePriceInput } from '../generated/graphql.js';
import { checkAmount } from '../kernel/amount.js';
import { Refusal, refuseIfAny, type UserErrorData } from '../kernel/refusal.js';
import type { RequestContext } from '../kernel/requestContext.js';
import { checkNotNull } from '../kernel/text.js';
import { inSqlTransaction } from '../kernel/transaction.js';
import { refuseIfStale } from '../kernel/version.js';
import { archivedPackagePrice } from './archived.js';
import { lockPackagePrice } from './lockPackagePrice.js';

/**
 * Sets another amount, in the price's currency, for later purchases.
 * @throws Refusal InvalidInput, PackagePriceNotFound, BrandMismatch, PackagePriceArchived, StaleObject, InvalidAmount
 */
export async function updatePackagePrice(
  ctx: RequestContext,
  input: UpdatePackagePriceInput,
): Promise<{ packagePriceId: string }> {
  const problems: UserErrorData[] = [];
  checkNotNull(problems, input, 'amount');
  refuseIfAny(problems);
  return inSqlTransaction(ctx, async (tx) => {
    const current = await lockPackagePrice(tx, input.packagePriceId);
    if (current.archivedAt) throw new Refusal([archivedPackagePrice(['input', 'packagePriceId'])]);
    refuseIfStale(current, input.expectedVersion);
    if (input.amount != null) {
      const { amount } = input;
      const amountMinor = checkAmount(problems, { amount, currencyCode: current.currency }, 'OR_ZERO');
      refuseIfAny(problems);
      await recordUpdate(tx, 'package_price.updated', { model: 'PackagePrice', current, change: { amountMinor } });
    }
    return { packagePriceId: current.id };
  });
}
