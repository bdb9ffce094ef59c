import type { GrantOrder, GrantWhere } from '../generated/graphql.js';
import { inBrand } from '../kernel/brand.js';
import { uuidOf, type IdType } from '../kernel/id.js';
import { hasMetadata, isAnyOf, isWithin, type Condition } from '../kernel/condition.js';
import type { ListSpec, PageArgs } from '../kernel/page.js';
import type { RequestContext } from '../kernel/requestContext.js';
import { scopeOf } from '../kernel/tenancy.js';
import { effectiveGrantStatus } from './effectiveGrantStatus.js';

/** What says which grants are listed, and in which order; where absent: all, the newest first. */
export interface GrantListArgs extends PageArgs {
  where?: GrantWhere | null;
  orderBy?: GrantOrder | null;
}

/** What the arguments of `grants` mean, at the root and below other objects. */
export function grantList(ctx: RequestContext, { where, orderBy }: GrantListArgs): ListSpec<'Grant'> {
  const direction = orderBy?.direction ?? 'DESC';
  return {
    model: 'Grant',
    scope: scopeOf(ctx, 'Grant'),
    conditions: [...inBrand(ctx), ...(where ? conditionsOf(where, ctx.now) : [])],
    order: { name: 'CREATED_AT', expression: 't.created_at', type: 'timestamptz', direction },
  };
}

function conditionsOf(where: GrantWhere, now: Date): Condition[] {
  const { status } = where;
  const conditions = [
    ...isOneOf('id', 'Grant', where.id?.in),
    ...isOneOf('customer_id', 'Customer', where.customerId?.in),
    ...isOneOf('entitlement_id', 'Entitlement', where.entitlementId?.in),
    ...isOneOf('license_id', 'License', where.licenseId?.in),
    ...isWithin('t.created_at', where.createdAt ?? {}),
  ];
  if (status) {
    conditions.push((place) => {
      const effective = effectiveGrantStatus(`${place(now)}::timestamptz`);
      return `${effective} = ANY(${place(status.in)}::grant_status[])`;
    });
  }
  if (where.metadata) conditions.push(hasMetadata(where.metadata));
  return conditions;
}

/** The column points to any of the objects; without ids there is no condition. */
export function isOneOf(column: string, type: IdType, ids: readonly string[] | undefined): Condition[] {
  if (!ids) return [];
  const uuids = ids.map((id) => uuidOf(type, id));
  return [isAnyOf(column, uuids, 'uuid')];
}
