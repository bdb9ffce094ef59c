import type { QuerySlaDefinitionsArgs } from '../generated/graphql.js';
import { hasMetadata, isAnyOf, isFoundIn, isWithin, type Condition } from '../kernel/condition.js';
import { uuidOf } from '../kernel/id.js';
import type { ListOrder, ListSpec, PageArgs } from '../kernel/page.js';
import type { RequestContext } from '../kernel/requestContext.js';
import { scopeOf } from '../kernel/tenancy.js';

const orders: Record<string, Omit<ListOrder, 'name' | 'direction'>> = {
  CREATED_AT: { expression: 't.created_at', type: 'timestamptz' },
  NAME: { expression: 't.name', type: 'text' },
};

/**
 * What the arguments of `slaDefinitions` mean.
 * @throws ClientError BAD_USER_INPUT for a search of fewer than two characters
 */
export function slaDefinitionList(
  ctx: RequestContext,
  { where, search, orderBy }: QuerySlaDefinitionsArgs,
): ListSpec<'SlaDefinition'> {
  const conditions: Condition[] = [
    () => `t.archived_at IS ${where?.isArchived ? 'NOT NULL' : 'NULL'}`,
    ...isWithin('t.created_at', where?.createdAt ?? {}),
    ...isFoundIn("lower(t.name || ' ' || coalesce(t.description, ''))", search),
  ];
  const ids = where?.id?.in.map((id) => uuidOf('SlaDefinition', id));
  if (ids) conditions.push(isAnyOf('id', ids, 'uuid'));
  if (where?.metadata) conditions.push(hasMetadata(where.metadata));
  const name = orderBy?.field ?? 'CREATED_AT';
  const order = orders[name] as (typeof orders)[string];
  return {
    model: 'SlaDefinition',
    scope: scopeOf(ctx, 'SlaDefinition'),
    conditions,
    order: { name, ...order, direction: orderBy?.direction ?? 'DESC' },
  };
}

/** A definition's `versions`, the newest first. */
export function slaVersionList(ctx: RequestContext, _args: PageArgs): ListSpec<'SlaDefinitionVersion'> {
  return {
    model: 'SlaDefinitionVersion',
    scope: scopeOf(ctx, 'SlaDefinitionVersion'),
    conditions: [],
    order: { name: 'NUMBER', expression: 't.number', type: 'integer', direction: 'DESC' },
  };
}
