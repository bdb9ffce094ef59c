import { recordChange } from '../events/recordChange.js';
import type { CreatePackagePriceInput } from '../generated/graphql.js';
import { refuseOtherBrands } from '../kernel/brand.js';
import { newId } from '../kernel/id.js';
import { lockShared } from '../kernel/lockShared.js';
import { Refusal, refuseIfAny, userError, type UserErrorData } from '../kernel/refusal.js';
import { tenantOf, type RequestContext } from '../kernel/requestContext.js';
import { inTransaction, type ConflictRefusals, type Tx } from '../kernel/transaction.js';
import { archivedPackage, archivedSubscriptionType } from './archived.js';
import { missingPackage, missingSubscriptionType } from './notFound.js';
import { checkPrice, priceFor } from './price.js';

const priceExists: ConflictRefusals = {
  package_prices_one: () =>
    userError(
      'PriceExists',
      ['input'],
      'The package has a price for this subscription type in this currency. Choose another type or currency.',
    ),
};

/**
 * Sets what a package costs for a subscription type in a currency that it has no price in yet.
 * @throws Refusal InvalidInput, InvalidAmount, InvalidCurrency, PackageNotFound, PackageArchived,
 *   SubscriptionTypeNotFound, SubscriptionTypeArchived, BrandMismatch, PriceExists
 */
export async function createPackagePrice(
  ctx: RequestContext,
  input: CreatePackagePriceInput,
): Promise<{ packagePriceId: string }> {
  const problems: UserErrorData[] = [];
  checkPrice(problems, input);
  refuseIfAny(problems);
  const { businessId } = tenantOf(ctx);
  return inTransaction(
    ctx,
    async (tx) => {
      const parts = await pricedParts(tx, input);
      const priced = await priceFor(tx, input);
      const price = await tx.prisma.packagePrice.create({
        data: {
          businessId,
          id: newId(),
          ...parts,
          ...priced,
          createdAt: ctx.now,
          updatedAt: ctx.now,
        },
      });
      recordChange(tx, {
        type: 'package_price.created',
        objectType: 'PackagePrice',
        objectId: price.id,
        sequence: 1,
        snapshot: price,
      });
      return { packagePriceId: price.id };
    },
    priceExists,
  );
}

/** The package and the subscription type, locked so that neither is archived meanwhile. */
async function pricedParts(
  tx: Tx,
  input: CreatePackagePriceInput,
): Promise<{ packageId: string; subscriptionTypeId: string }> {
  const found = await lockShared(tx, 'Package', input.packageId, 'USE');
  const type = await lockShared(tx, 'SubscriptionType', input.subscriptionTypeId, 'USE');
  const problems: UserErrorData[] = [];
  if (!found) problems.push(missingPackage(['input', 'packageId']));
  else if (found.archivedAt) problems.push(archivedPackage(['input', 'packageId']));
  if (!type) problems.push(missingSubscriptionType(['input', 'subscriptionTypeId']));
  else if (type.archivedAt) problems.push(archivedSubscriptionType(['input', 'subscriptionTypeId']));
  if (!found || !type || problems.length > 0) throw new Refusal(problems);
  refuseOtherBrands(tx.ctx, { brandId: found.brandId, path: ['input', 'packageId'] });
  return { packageId: found.id, subscriptionTypeId: type.id };
}
