import type { QueryApplicationsArgs } from '../generated/graphql.js';
import { hasMetadata, isAnyOf, isFoundIn, isWithin, type Condition } from '../kernel/condition.js';
import { uuidOf } from '../kernel/id.js';
import type { ListSpec } from '../kernel/page.js';
import type { RequestContext } from '../kernel/requestContext.js';
import { scopeOf } from '../kernel/tenancy.js';

/**
 * What the arguments of `applications` mean.
 * @throws ClientError BAD_USER_INPUT for a search of fewer than two characters
 */
export function applicationList(
  ctx: RequestContext,
  { where, search, orderBy }: QueryApplicationsArgs,
): ListSpec<'Application'> {
  const conditions: Condition[] = [
    () => `t.archived_at IS ${where?.isArchived ? 'NOT NULL' : 'NULL'}`,
    ...isWithin('t.created_at', where?.createdAt ?? {}),
    ...isFoundIn("lower(t.name || ' ' || coalesce(t.external_id, ''))", search),
  ];
  const ids = where?.id?.in.map((id) => uuidOf('Application', id));
  if (ids) conditions.push(isAnyOf('id', ids, 'uuid'));
  if (where?.externalId) conditions.push(isAnyOf('external_id', where.externalId.in, 'text'));
  if (where?.metadata) conditions.push(hasMetadata(where.metadata));
  const direction = orderBy?.direction ?? 'DESC';
  return {
    model: 'Application',
    scope: scopeOf(ctx, 'Application'),
    conditions,
    order: { name: 'CREATED_AT', expression: 't.created_at', type: 'timestamptz', direction },
  };
}
