import type { QueryApiKeysArgs } from '../generated/graphql.js';
import { uuidOf } from '../kernel/id.js';
import { isAnyOf, type Condition } from '../kernel/condition.js';
import type { ListSpec } from '../kernel/page.js';
import type { RequestContext } from '../kernel/requestContext.js';
import { scopeOf } from '../kernel/tenancy.js';

/** What the arguments of `apiKeys` mean. */
export function apiKeyList(ctx: RequestContext, { where, orderBy }: QueryApiKeysArgs): ListSpec<'ApiKey'> {
  const conditions: Condition[] = [];
  if (where?.id)
    conditions.push(
      isAnyOf(
        'id',
        where.id.in.map((id) => uuidOf('ApiKey', id)),
        'uuid',
      ),
    );
  if (where?.isRevoked != null)
    conditions.push(() => `(t.revoked_at IS NOT NULL) = ${where.isRevoked ? 'true' : 'false'}`);
  return {
    model: 'ApiKey',
    scope: scopeOf(ctx, 'ApiKey'),
    conditions,
    order: {
      name: 'CREATED_AT',
      expression: 't.created_at',
      type: 'timestamptz',
      direction: orderBy?.direction ?? 'DESC',
    },
  };
}
