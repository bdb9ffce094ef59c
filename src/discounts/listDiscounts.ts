import type { QueryDiscountsArgs } from '../generated/graphql.js';
import { hasMetadata, isAnyOf, isFoundIn, isWithin, type Condition } from '../kernel/condition.js';
import { uuidOf } from '../kernel/id.js';
import type { ListOrder, ListSpec } from '../kernel/page.js';
import type { RequestContext } from '../kernel/requestContext.js';
import { scopeOf } from '../kernel/tenancy.js';
import { codeKeyOf } from './code.js';
import { discountStatus } from './discount.js';

const orders: Record<string, Omit<ListOrder, 'name' | 'direction'>> = {
  CREATED_AT: { expression: 't.created_at', type: 'timestamptz' },
  CODE: { expression: 't.sort_code', type: 'text' },
  EXPIRES_AT: { expression: "coalesce(t.expires_at, 'infinity'::timestamptz)", type: 'timestamptz' },
};

/**
 * What the arguments of `discounts` mean.
 * @throws ClientError BAD_USER_INPUT for a search of fewer than two characters
 */
export function discountList(
  ctx: RequestContext,
  { where, search, orderBy }: QueryDiscountsArgs,
): ListSpec<'Discount'> {
  const name = orderBy?.field ?? 'CREATED_AT';
  const order = orders[name] as (typeof orders)[string];
  return {
    model: 'Discount',
    scope: scopeOf(ctx, 'Discount'),
    conditions: [
      ...conditionsOf(ctx, where ?? {}),
      ...isFoundIn("lower(t.code || ' ' || coalesce(t.name, ''))", search),
    ],
    order: { name, ...order, direction: orderBy?.direction ?? 'DESC' },
  };
}

function conditionsOf(ctx: RequestContext, where: NonNullable<QueryDiscountsArgs['where']>): Condition[] {
  const { id, code, status, eligibleCustomerId, createdAt, metadata } = where;
  const conditions: Condition[] = [...isWithin('t.created_at', createdAt ?? {})];
  if (status) {
    conditions.push(
      (place) => `${discountStatus(`${place(ctx.now)}::timestamptz`)} = ANY(${place(status.in)}::text[])`,
    );
  } else conditions.push(() => 't.archived_at IS NULL');
  if (id) {
    const ids = id.in.map((one) => uuidOf('Discount', one));
    conditions.push(isAnyOf('id', ids, 'uuid'));
  }
  if (code) {
    const codes = `SELECT discount_id FROM discount_codes c
      WHERE c.business_id = t.business_id AND c.mode = t.mode AND c.code_key`;
    conditions.push((place) => `t.id IN (${codes} = ANY(${place(code.in.map(codeKeyOf))}::text[]))`);
  }
  if (eligibleCustomerId) {
    const ids = eligibleCustomerId.in.map((one) => uuidOf('Customer', one));
    conditions.push((place) => `t.customer_ids <> '{}' AND t.customer_ids && ${place(ids)}::uuid[]`);
  }
  if (metadata) conditions.push(hasMetadata(metadata));
  return conditions;
}
