import type { QuerySubscriptionTypesArgs } from '../generated/graphql.js';
import { hasMetadata, isAnyOf, isFoundIn } from '../kernel/condition.js';
import type { ListSpec } from '../kernel/page.js';
import type { RequestContext } from '../kernel/requestContext.js';
import { scopeOf } from '../kernel/tenancy.js';
import { byCreation, hasIdIn, isArchivedOr } from './conditions.js';

/**
 * What the arguments of `subscriptionTypes` mean.
 * @throws ClientError BAD_USER_INPUT for a search of fewer than two characters
 */
export function subscriptionTypeList(
  ctx: RequestContext,
  { where, search, orderBy }: QuerySubscriptionTypesArgs,
): ListSpec<'SubscriptionType'> {
  return {
    model: 'SubscriptionType',
    scope: scopeOf(ctx, 'SubscriptionType'),
    conditions: [
      isArchivedOr(where?.isArchived),
      ...hasIdIn('id', 'SubscriptionType', where?.id),
      ...(where?.name ? [isAnyOf('name', where.name.in, 'text')] : []),
      ...(where?.metadata ? [hasMetadata(where.metadata)] : []),
      ...isFoundIn('lower(t.name)', search),
    ],
    order:
      orderBy?.field === 'DAYS'
        ? { name: 'DAYS', expression: 't.days', type: 'integer', direction: orderBy.direction ?? 'DESC' }
        : byCreation(orderBy?.direction),
  };
}
