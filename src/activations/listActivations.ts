import type { ActivationOrder, ActivationWhere } from '../generated/graphql.js';
import { isOneOf } from '../grants/listGrants.js';
import { inBrand } from '../kernel/brand.js';
import { isAnyOf, isWithin, type Condition } from '../kernel/condition.js';
import type { ListSpec, PageArgs } from '../kernel/page.js';
import type { RequestContext } from '../kernel/requestContext.js';
import { scopeOf } from '../kernel/tenancy.js';
import { effectiveStatus } from './activation.js';

/** What says which activations are listed, and in which order; where absent: all, the newest first. */
export interface ActivationListArgs extends PageArgs {
  where?: ActivationWhere | null;
  orderBy?: ActivationOrder | null;
}

/** What the arguments of `activations` mean, at the root and below other objects. */
export function activationList(ctx: RequestContext, { where, orderBy }: ActivationListArgs): ListSpec<'Activation'> {
  const direction = orderBy?.direction ?? 'DESC';
  return {
    model: 'Activation',
    scope: scopeOf(ctx, 'Activation'),
    conditions: [...inBrand(ctx), ...(where ? conditionsOf(where, ctx.now) : [])],
    order: { name: 'CREATED_AT', expression: 't.created_at', type: 'timestamptz', direction },
  };
}

function conditionsOf(where: ActivationWhere, now: Date): Condition[] {
  const { status, fingerprint } = where;
  const conditions = [
    ...isOneOf('id', 'Activation', where.id?.in),
    ...isOneOf('license_key_id', 'LicenseKey', where.licenseKeyId?.in),
    ...isOneOf('customer_id', 'Customer', where.customerId?.in),
    ...isWithin('t.created_at', where.createdAt ?? {}),
  ];
  if (fingerprint) conditions.push(isAnyOf('fingerprint', fingerprint.in, 'text'));
  if (status) {
    conditions.push((place) => `(${effectiveStatus(`${place(now)}::timestamptz`)}) = ANY(${place(status.in)}::text[])`);
  }
  return conditions;
}
