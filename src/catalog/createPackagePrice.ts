import { recordChange } from '../events/recordChange.js';
import type { CreatePackagePriceInput } from '../generated/graphql.js';
import { refuseOtherBrands } from '../kernel/brand.js';
import { checkAmount } from '../kernel/amount.js';
import { newId, uuidOf } from '../kernel/id.js';
import { refuseIfAny, userError, type UserErrorData } from '../kernel/refusal.js';
import { tenantOf, type RequestContext } from '../kernel/requestContext.js';
import { inTransaction, type ConflictRefusals, type Tx } from '../kernel/transaction.js';
import { archivedPackage, archivedSubscriptionType } from './archived.js';
import { missingPackage, missingSubscriptionType } from './notFound.js';

const priceExists: ConflictRefusals = {
  package_prices_business_id_package_id_subscription_type_id__key: () =>
    userError(
      'PriceExists',
      ['input'],
      'The package has a price for this subscription type in this currency. Choose another type or currency.',
    ),
};

/**
 * Sets what a package costs for a subscription type in a currency that it has no price in yet.
 * @throws Refusal InvalidAmount, InvalidCurrency, PackageNotFound, PackageArchived,
 *   SubscriptionTypeNotFound, SubscriptionTypeArchived, BrandMismatch, PriceExists
 */
export async function createPackagePrice(
  ctx: RequestContext,
  input: CreatePackagePriceInput,
): Promise<{ packagePriceId: string }> {
  const problems: UserErrorData[] = [];
  const amountMinor = checkAmount(problems, input, 'OR_ZERO');
  refuseIfAny(problems);
  const { businessId } = tenantOf(ctx);
  const packageId = uuidOf('Package', input.packageId);
  const subscriptionTypeId = uuidOf('SubscriptionType', input.subscriptionTypeId);
  return inTransaction(
    ctx,
    async (tx) => {
      await refuseUnpriceable(tx, packageId, subscriptionTypeId);
      const price = await tx.prisma.packagePrice.create({
        data: {
          businessId,
          id: newId(),
          packageId,
          subscriptionTypeId,
          currency: input.currencyCode,
          amountMinor,
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

async function refuseUnpriceable(tx: Tx, packageId: string, subscriptionTypeId: string): Promise<void> {
  const { businessId } = tenantOf(tx.ctx);
  const found = await tx.prisma.package.findFirst({ where: { businessId, id: packageId } });
  const type = await tx.prisma.subscriptionType.findFirst({ where: { businessId, id: subscriptionTypeId } });
  const problems: UserErrorData[] = [];
  if (!found) problems.push(missingPackage(['input', 'packageId']));
  else if (found.archivedAt) problems.push(archivedPackage(['input', 'packageId']));
  if (!type) problems.push(missingSubscriptionType(['input', 'subscriptionTypeId']));
  else if (type.archivedAt) problems.push(archivedSubscriptionType(['input', 'subscriptionTypeId']));
  refuseIfAny(problems);
  if (found) refuseOtherBrands(tx.ctx, { brandId: found.brandId, path: ['input', 'packageId'] });
}
