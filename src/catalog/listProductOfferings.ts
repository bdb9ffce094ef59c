import type { QueryProductOfferingsArgs } from '../generated/graphql.js';
import { isWithin, type Condition } from '../kernel/condition.js';
import type { ListSpec } from '../kernel/page.js';
import type { RequestContext } from '../kernel/requestContext.js';
import { scopeOf } from '../kernel/tenancy.js';
import { hasIdIn, isFoundIn, nameOrCreation } from './conditions.js';

/**
 * What the arguments of `productOfferings` mean, at the root and of a product.
 * @throws ClientError BAD_USER_INPUT for a search of fewer than two characters
 */
export function productOfferingList(
  ctx: RequestContext,
  { where, search, orderBy }: QueryProductOfferingsArgs,
): ListSpec<'ProductOffering'> {
  const statuses = where?.status?.in;
  return {
    model: 'ProductOffering',
    scope: scopeOf(ctx, 'ProductOffering'),
    conditions: [
      ...hasIdIn('id', 'ProductOffering', where?.id),
      ...hasIdIn('product_id', 'Product', where?.productId),
      ...(statuses
        ? ([(place) => `t.status = ANY(${place(statuses)}::product_offering_status[])`] satisfies Condition[])
        : []),
      ...(where?.createdAt ? isWithin('t.created_at', where.createdAt) : []),
      ...isFoundIn('lower(t.name)', search),
    ],
    order: nameOrCreation(orderBy),
  };
}
