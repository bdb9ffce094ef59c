import type { QueryPackagePricesArgs } from '../generated/graphql.js';
import { isAnyOf } from '../kernel/condition.js';
import type { ListSpec } from '../kernel/page.js';
import type { RequestContext } from '../kernel/requestContext.js';
import { scopeOf } from '../kernel/tenancy.js';
import { byCreation, hasIdIn, isArchivedOr } from './conditions.js';

/** What the arguments of `packagePrices` mean. */
export function packagePriceList(
  ctx: RequestContext,
  { where, orderBy }: QueryPackagePricesArgs,
): ListSpec<'PackagePrice'> {
  return {
    model: 'PackagePrice',
    scope: scopeOf(ctx, 'PackagePrice'),
    conditions: [
      isArchivedOr(where?.isArchived),
      ...hasIdIn('id', 'PackagePrice', where?.id),
      ...hasIdIn('package_id', 'Package', where?.packageId),
      ...hasIdIn('subscription_type_id', 'SubscriptionType', where?.subscriptionTypeId),
      ...(where?.currencyCode ? [isAnyOf('currency', where.currencyCode.in, 'text')] : []),
    ],
    order: byCreation(orderBy?.direction),
  };
}
