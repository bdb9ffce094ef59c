import { hasIdIn, isArchivedOr, nameOrCreation } from '../catalog/conditions.js';
import type { QueryEntitlementsArgs } from '../generated/graphql.js';
import { hasMetadata, isFoundIn, isWithin } from '../kernel/condition.js';
import type { ListSpec } from '../kernel/page.js';
import type { RequestContext } from '../kernel/requestContext.js';
import { scopeOf } from '../kernel/tenancy.js';

/**
 * What the arguments of `entitlements` mean.
 * @throws ClientError BAD_USER_INPUT for a search of fewer than two characters
 */
export function entitlementList(
  ctx: RequestContext,
  { where, search, orderBy }: QueryEntitlementsArgs,
): ListSpec<'Entitlement'> {
  return {
    model: 'Entitlement',
    scope: scopeOf(ctx, 'Entitlement'),
    conditions: [
      ...hasIdIn('id', 'Entitlement', where?.id),
      isArchivedOr(where?.isArchived),
      ...(where?.createdAt ? isWithin('t.created_at', where.createdAt) : []),
      ...(where?.metadata ? [hasMetadata(where.metadata)] : []),
      ...isFoundIn('lower(t.name)', search),
    ],
    order: nameOrCreation(orderBy),
  };
}
