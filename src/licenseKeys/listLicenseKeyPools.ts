import { isArchivedOr } from '../catalog/conditions.js';
import type { QueryLicenseKeyPoolsArgs } from '../generated/graphql.js';
import { isAnyOf, type Condition } from '../kernel/condition.js';
import { uuidOf } from '../kernel/id.js';
import type { ListSpec } from '../kernel/page.js';
import type { RequestContext } from '../kernel/requestContext.js';
import { scopeOf } from '../kernel/tenancy.js';

/** What the arguments of `licenseKeyPools` mean; the newest first unless they say otherwise. */
export function licenseKeyPoolList(
  ctx: RequestContext,
  { where, orderBy }: Pick<QueryLicenseKeyPoolsArgs, 'where' | 'orderBy'>,
): ListSpec<'LicenseKeyPool'> {
  const conditions: Condition[] = [isArchivedOr(where?.isArchived)];
  const ids = where?.id?.in.map((id) => uuidOf('LicenseKeyPool', id));
  if (ids) conditions.push(isAnyOf('id', ids, 'uuid'));
  if (where?.name) conditions.push(isAnyOf('name', where.name.in, 'text'));
  const direction = orderBy?.direction ?? 'DESC';
  return {
    model: 'LicenseKeyPool',
    scope: scopeOf(ctx, 'LicenseKeyPool'),
    conditions,
    order: { name: 'CREATED_AT', expression: 't.created_at', type: 'timestamptz', direction },
  };
}
