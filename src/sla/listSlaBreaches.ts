import type { ProductKeySlaBreachesArgs } from '../generated/graphql.js';
import { isAnyOf, isWithin, type Condition } from '../kernel/condition.js';
import { uuidOf } from '../kernel/id.js';
import type { ListSpec } from '../kernel/page.js';
import type { RequestContext } from '../kernel/requestContext.js';
import { scopeOf } from '../kernel/tenancy.js';

/** What the arguments of a product key's `slaBreaches` mean. */
export function slaBreachList(
  ctx: RequestContext,
  { where, orderBy }: ProductKeySlaBreachesArgs,
): ListSpec<'SlaBreach'> {
  const conditions: Condition[] = [
    ...isWithin('t.starts_at', where?.startsAt ?? {}),
    ...isWithin('t.created_at', where?.createdAt ?? {}),
  ];
  const definitionIds = where?.slaDefinitionId?.in.map((id) => uuidOf('SlaDefinition', id));
  if (definitionIds) conditions.push(isAnyOf('sla_definition_id', definitionIds, 'uuid'));
  if (where?.metric) conditions.push(isAnyOf('metric', where.metric.in, 'sla_metric'));
  if (where?.externalId) conditions.push(isAnyOf('external_id', where.externalId.in, 'text'));
  return {
    model: 'SlaBreach',
    scope: scopeOf(ctx, 'SlaBreach'),
    conditions,
    order: {
      name: 'STARTS_AT',
      expression: 't.starts_at',
      type: 'timestamptz',
      direction: orderBy?.direction ?? 'DESC',
    },
  };
}
