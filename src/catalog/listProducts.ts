import type { QueryProductsArgs } from '../generated/graphql.js';
import { hasMetadata, isAnyOf, isFoundIn, isWithin } from '../kernel/condition.js';
import type { ListSpec } from '../kernel/page.js';
import type { RequestContext } from '../kernel/requestContext.js';
import { scopeOf } from '../kernel/tenancy.js';
import { hasIdIn, isArchivedOr, nameOrCreation } from './conditions.js';

/**
 * What the arguments of `products` mean; searched by name and SKU.
 * @throws ClientError BAD_USER_INPUT for a search of fewer than two characters
 */
export function productList(ctx: RequestContext, { where, search, orderBy }: QueryProductsArgs): ListSpec<'Product'> {
  return {
    model: 'Product',
    scope: scopeOf(ctx, 'Product'),
    conditions: [
      isArchivedOr(where?.isArchived),
      ...hasIdIn('id', 'Product', where?.id),
      ...(where?.sku ? [isAnyOf('sku', where.sku.in, 'text')] : []),
      ...(where?.createdAt ? isWithin('t.created_at', where.createdAt) : []),
      ...(where?.metadata ? [hasMetadata(where.metadata)] : []),
      ...isFoundIn("lower(t.name || ' ' || t.sku)", search),
    ],
    order: nameOrCreation(orderBy),
  };
}
