import type { QueryCustomersArgs } from '../generated/graphql.js';
import { ClientError } from '../kernel/clientError.js';
import { uuidOf } from '../kernel/id.js';
import { containsText, hasMetadata, isAnyOf, isWithin, type Condition } from '../kernel/condition.js';
import type { ListOrder, ListSpec } from '../kernel/page.js';
import { tenantViewer, type RequestContext } from '../kernel/requestContext.js';
import { scopeOf } from '../kernel/tenancy.js';

const MIN_SEARCH = 2;

/**
 * What the arguments of `customers` mean.
 * @throws ClientError BAD_USER_INPUT for a search of fewer than two characters
 */
export function customerList(
  ctx: RequestContext,
  { where, search, orderBy }: QueryCustomersArgs,
): ListSpec<'Customer'> {
  const { brandId } = tenantViewer(ctx);
  const conditions: Condition[] = [];
  if (where?.id)
    conditions.push(
      isAnyOf(
        'id',
        where.id.in.map((id) => uuidOf('Customer', id)),
        'uuid',
      ),
    );
  if (where?.number) conditions.push(isAnyOf('number', where.number.in, 'text'));
  if (where?.code) conditions.push(isAnyOf('code', where.code.in, 'text'));
  if (where?.externalId) conditions.push(isAnyOf('external_id', where.externalId.in, 'text'));
  if (where?.email)
    conditions.push(
      isAnyOf(
        'email_canonical',
        where.email.in.map((email) => email.toLowerCase()),
        'text',
      ),
    );
  if (where?.createdAt) conditions.push(...isWithin('t.created_at', where.createdAt));
  if (where?.metadata) conditions.push(hasMetadata(where.metadata));
  if (search != null) conditions.push(containsText('search_text', searchText(search)));
  return {
    model: 'Customer',
    scope: { ...scopeOf(ctx, 'Customer'), ...(brandId ? { brand_id: brandId } : {}) },
    conditions,
    order: orderOf(orderBy),
  };
}

function searchText(search: string): string {
  const text = search.trim();
  if ([...text].length >= MIN_SEARCH) return text;
  throw new ClientError('BAD_USER_INPUT', `Give \`search\` at least ${MIN_SEARCH} characters.`, { argument: 'search' });
}

function orderOf(orderBy: QueryCustomersArgs['orderBy']): ListOrder {
  const direction = orderBy?.direction ?? 'DESC';
  return orderBy?.field === 'NAME'
    ? { name: 'NAME', expression: 't.sort_name', type: 'text', direction }
    : { name: 'CREATED_AT', expression: 't.created_at', type: 'timestamptz', direction };
}
