import type { QueryBrandsArgs } from '../generated/graphql.js';
import { hasMetadata, isAnyOf, isFoundIn } from '../kernel/condition.js';
import { uuidOf } from '../kernel/id.js';
import type { ListSpec } from '../kernel/page.js';
import type { RequestContext } from '../kernel/requestContext.js';
import { scopeOf } from '../kernel/tenancy.js';

/**
 * What the arguments of `brands` mean; searched by name and host name.
 * @throws ClientError BAD_USER_INPUT for a search of fewer than two characters
 */
export function brandList(ctx: RequestContext, { where, search, orderBy }: QueryBrandsArgs): ListSpec<'Brand'> {
  const ids = where?.id?.in.map((id) => uuidOf('Brand', id));
  return {
    model: 'Brand',
    scope: scopeOf(ctx, 'Brand'),
    conditions: [
      ...(ids ? [isAnyOf('id', ids, 'uuid')] : []),
      ...(where?.url ? [isAnyOf('url', where.url.in, 'text')] : []),
      ...(where?.metadata ? [hasMetadata(where.metadata)] : []),
      ...isFoundIn("lower(t.name || ' ' || t.url)", search),
    ],
    order: {
      name: 'CREATED_AT',
      expression: 't.created_at',
      type: 'timestamptz',
      direction: orderBy?.direction ?? 'DESC',
    },
  };
}
