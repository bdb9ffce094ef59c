import type { QueryWalletsArgs } from '../generated/graphql.js';
import { uuidOf } from '../kernel/id.js';
import { isAnyOf, type Condition } from '../kernel/condition.js';
import type { ListSpec } from '../kernel/page.js';
import { tenantViewer, type RequestContext } from '../kernel/requestContext.js';
import { scopeOf } from '../kernel/tenancy.js';

/** What the arguments of `wallets` mean. */
export function walletList(ctx: RequestContext, { where, orderBy }: QueryWalletsArgs): ListSpec<'Wallet'> {
  const { brandId } = tenantViewer(ctx);
  const conditions: Condition[] = [];
  if (where?.id) {
    const ids = where.id.in.map((id) => uuidOf('Wallet', id));
    conditions.push(isAnyOf('id', ids, 'uuid'));
  }
  if (where?.customerId) {
    const ids = where.customerId.in.map((id) => uuidOf('Customer', id));
    conditions.push(isAnyOf('customer_id', ids, 'uuid'));
  }
  if (where?.currencyCode) conditions.push(isAnyOf('currency', where.currencyCode.in, 'text'));
  const direction = orderBy?.direction ?? 'DESC';
  return {
    model: 'Wallet',
    scope: { ...scopeOf(ctx, 'Wallet'), ...(brandId ? { brand_id: brandId } : {}) },
    conditions,
    order: { name: 'CREATED_AT', expression: 't.created_at', type: 'timestamptz', direction },
  };
}
