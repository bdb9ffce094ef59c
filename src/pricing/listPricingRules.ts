import type { QueryPricingRulesArgs } from '../generated/graphql.js';
import { isAnyOf, isFoundIn, isWithin, type Condition } from '../kernel/condition.js';
import { uuidOf } from '../kernel/id.js';
import type { ListSpec } from '../kernel/page.js';
import type { RequestContext } from '../kernel/requestContext.js';
import { scopeOf } from '../kernel/tenancy.js';

/**
 * What the arguments of `pricingRules` mean.
 * @throws ClientError BAD_USER_INPUT for a search of fewer than two characters
 */
export function pricingRuleList(
  ctx: RequestContext,
  { where, search, orderBy }: QueryPricingRulesArgs,
): ListSpec<'PricingRule'> {
  const conditions: Condition[] = [
    () => `t.archived_at IS ${where?.isArchived ? 'NOT NULL' : 'NULL'}`,
    ...isWithin('t.created_at', where?.createdAt ?? {}),
    ...isFoundIn('lower(t.name)', search),
  ];
  const ids = where?.id?.in.map((id) => uuidOf('PricingRule', id));
  if (ids) conditions.push(isAnyOf('id', ids, 'uuid'));
  if (where?.currencyCode) conditions.push(isAnyOf('currency', where.currencyCode.in, 'text'));
  const models = where?.model?.in;
  if (models) conditions.push((place) => `t.model = ANY(${place(models)}::pricing_model[])`);
  const direction = orderBy?.direction ?? 'DESC';
  return {
    model: 'PricingRule',
    scope: scopeOf(ctx, 'PricingRule'),
    conditions,
    order: { name: 'CREATED_AT', expression: 't.created_at', type: 'timestamptz', direction },
  };
}
