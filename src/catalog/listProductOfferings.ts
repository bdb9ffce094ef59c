import type { QueryProductOfferingsArgs } from '../generated/graphql.js';
import { hasMetadata, isFoundIn, isWithin } from '../kernel/condition.js';
import type { ListSpec } from '../kernel/page.js';
import type { RequestContext } from '../kernel/requestContext.js';
import { scopeOf } from '../kernel/tenancy.js';
import { hasIdIn, nameOrCreation } from './conditions.js';

/**
 * What the arguments of `productOfferings` mean, at the root and of a product: what can be had, unless statuses are named;
 * searched by name and license type.
 * @throws ClientError BAD_USER_INPUT for a search of fewer than two characters
 */
export function productOfferingList(
  ctx: RequestContext,
  { where, search, orderBy }: QueryProductOfferingsArgs,
): ListSpec<'ProductOffering'> {
  const statuses = where?.status?.in ?? ['AVAILABLE'];
  return {
    model: 'ProductOffering',
    scope: scopeOf(ctx, 'ProductOffering'),
    conditions: [
      ...hasIdIn('id', 'ProductOffering', where?.id),
      ...hasIdIn('product_id', 'Product', where?.productId),
      (place) => `t.status = ANY(${place(statuses)}::product_offering_status[])`,
      ...(where?.createdAt ? isWithin('t.created_at', where.createdAt) : []),
      ...(where?.metadata ? [hasMetadata(where.metadata)] : []),
      ...isFoundIn("lower(t.name || ' ' || t.license_type)", search),
    ],
    order: nameOrCreation(orderBy),
  };
}
