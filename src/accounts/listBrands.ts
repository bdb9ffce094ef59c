import type { QueryBrandsArgs } from '../generated/graphql.js';
import { isAnyOf } from '../kernel/condition.js';
import { uuidOf } from '../kernel/id.js';
import type { ListSpec } from '../kernel/page.js';
import type { RequestContext } from '../kernel/requestContext.js';
import { scopeOf } from '../kernel/tenancy.js';

/** What the arguments of `brands` mean. */
export function brandList(ctx: RequestContext, { where, orderBy }: QueryBrandsArgs): ListSpec<'Brand'> {
  const ids = where?.id?.in.map((id) => uuidOf('Brand', id));
  return {
    model: 'Brand',
    scope: scopeOf(ctx, 'Brand'),
    conditions: [
      ...(ids ? [isAnyOf('id', ids, 'uuid')] : []),
      ...(where?.url ? [isAnyOf('url', where.url.in, 'text')] : []),
    ],
    order: {
      name: 'CREATED_AT',
      expression: 't.created_at',
      type: 'timestamptz',
      direction: orderBy?.direction ?? 'DESC',
    },
  };
}
