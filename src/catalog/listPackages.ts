import type { QueryPackagesArgs } from '../generated/graphql.js';
import { hasMetadata, isFoundIn, isWithin } from '../kernel/condition.js';
import type { ListSpec } from '../kernel/page.js';
import { tenantViewer, type RequestContext } from '../kernel/requestContext.js';
import { scopeOf } from '../kernel/tenancy.js';
import { hasIdIn, isArchivedOr, nameOrCreation } from './conditions.js';

/**
 * What the arguments of `packages` mean; of the brand that `Brand-URL` names, when it does.
 * @throws ClientError BAD_USER_INPUT for a search of fewer than two characters
 */
export function packageList(ctx: RequestContext, { where, search, orderBy }: QueryPackagesArgs): ListSpec<'Package'> {
  const { brandId } = tenantViewer(ctx);
  return {
    model: 'Package',
    scope: { ...scopeOf(ctx, 'Package'), ...(brandId ? { brand_id: brandId } : {}) },
    conditions: [
      isArchivedOr(where?.isArchived),
      ...hasIdIn('id', 'Package', where?.id),
      ...hasIdIn('primary_product_id', 'Product', where?.primaryProductId),
      ...(where?.createdAt ? isWithin('t.created_at', where.createdAt) : []),
      ...(where?.metadata ? [hasMetadata(where.metadata)] : []),
      ...isFoundIn('lower(t.name)', search),
    ],
    order: nameOrCreation(orderBy),
  };
}
