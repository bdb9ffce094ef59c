import type { CustomerOrder, CustomerWhere, QueryCustomersArgs } from '../generated/graphql.js';
import { hasMetadata, isAnyOf, isFoundIn, isWithin, type Condition } from '../kernel/condition.js';
import { uuidOf, type IdType } from '../kernel/id.js';
import type { ListOrder, ListSpec } from '../kernel/page.js';
import { tenantViewer, type RequestContext } from '../kernel/requestContext.js';
import { scopeOf } from '../kernel/tenancy.js';

/**
 * What the arguments of `customers` mean, at the root and below an organization.
 * @throws ClientError BAD_USER_INPUT for a search of fewer than two characters
 */
export function customerList(
  ctx: RequestContext,
  { where, search, orderBy }: QueryCustomersArgs,
): ListSpec<'Customer'> {
  const { brandId } = tenantViewer(ctx);
  const conditions = [...(where ? conditionsOf(where) : []), ...isFoundIn('t.search_text', search)];
  // Nobody is left there to be found: by number and id such a customer is looked up.
  if (search != null) conditions.push(() => 't.erased_at IS NULL');
  return {
    model: 'Customer',
    scope: { ...scopeOf(ctx, 'Customer'), ...(brandId ? { brand_id: brandId } : {}) },
    conditions,
    order: orderOf(orderBy),
  };
}

function conditionsOf(where: CustomerWhere): Condition[] {
  const conditions = [
    ...isOneOf('id', 'Customer', where.id?.in),
    ...isOneOf('organization_id', 'Organization', where.organizationId?.in),
    ...isWithin('t.created_at', where.createdAt ?? {}),
  ];
  if (where.number) conditions.push(isAnyOf('number', where.number.in, 'text'));
  if (where.code) conditions.push(isAnyOf('code', where.code.in, 'text'));
  if (where.externalId) conditions.push(isAnyOf('external_id', where.externalId.in, 'text'));
  const emails = where.email?.in.map((email) => email.toLowerCase());
  if (emails) conditions.push(isAnyOf('email_canonical', emails, 'text'));
  if (where.isErased != null) conditions.push(() => `t.erased_at IS ${where.isErased ? 'NOT NULL' : 'NULL'}`);
  if (where.metadata) conditions.push(hasMetadata(where.metadata));
  return conditions;
}

function isOneOf(column: string, type: IdType, ids: readonly string[] | undefined): Condition[] {
  if (!ids) return [];
  const uuids = ids.map((id) => uuidOf(type, id));
  return [isAnyOf(column, uuids, 'uuid')];
}

function orderOf(orderBy: CustomerOrder | null | undefined): ListOrder {
  const direction = orderBy?.direction ?? 'DESC';
  return orderBy?.field === 'NAME'
    ? { name: 'NAME', expression: 't.sort_name', type: 'text', direction }
    : { name: 'CREATED_AT', expression: 't.created_at', type: 'timestamptz', direction };
}
