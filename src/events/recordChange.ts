import type { SqlTx } from '../kernel/transaction.js';
import { newId, type IdType } from '../kernel/id.js';
import { tenantOf, type RequestContext } from '../kernel/requestContext.js';

/** A state change, as the use case that makes it sees it. */
export interface ChangeFact {
  /** Such as `license.created`; the list stands in `changeTypes`. */
  readonly type: ChangeType;
  readonly objectType: IdType;
  readonly objectId: string;
  /** The object's version after the change: it rises by one with each change recorded. */
  readonly sequence: number;
  /** Only the fields that changed. */
  readonly before?: object;
  readonly after?: object;
  /** The object as it is now; bytes (hashes, ciphertexts) are left out. */
  readonly snapshot: object;
  readonly reason?: string | null;
  /** Where the caller has no tenant (the operator) or another one than the object. */
  readonly tenant?: { businessId: string; mode: 'LIVE' | 'TEST' };
}

/** Every type of change that is recorded. */
export const changeTypes = [
  'activation.created',
  'activation.deactivated',
  'activation.lapsed',
  'activation.reactivated',
  'activation.updated',
  'api_key.created',
  'api_key.revoked',
  'application.archived',
  'application.created',
  'application.updated',
  'brand.created',
  'brand.updated',
  'business.created',
  'business.updated',
  'customer.created',
  'customer.erased',
  'customer.updated',
  'customer_session.issued',
  'customer_session.revoked',
  'discount.archived',
  'discount.codes_generated',
  'discount.created',
  'discount.redeemed',
  'discount.updated',
  'entitlement.archived',
  'entitlement.created',
  'entitlement.updated',
  'entitlement_grant.claimed',
  'entitlement_grant.created',
  'entitlement_grant.delivered',
  'entitlement_grant.restored',
  'entitlement_grant.revoked',
  'entitlement_grant.updated',
  'license.activated',
  'license.applied',
  'license.assigned',
  'license.blocked',
  'license.change_cancelled',
  'license.change_scheduled',
  'license.created',
  'license.ended',
  'license.expired',
  'license.offering_changed',
  'license.paused',
  'license.renewal_cancelled',
  'license.renewed',
  'license.resumed',
  'license.unblocked',
  'license.updated',
  'license_key.created',
  'license_key.disabled',
  'license_key.enabled',
  'license_key.revealed',
  'license_key.rotated',
  'license_key.updated',
  'license_key_pool.archived',
  'license_key_pool.created',
  'license_key_pool.keys_added',
  'license_key_pool.keys_removed',
  'license_key_pool.low_stock',
  'license_key_pool.updated',
  'login_token.issued',
  'login_token.redeemed',
  'order.completed',
  'organization.archived',
  'organization.created',
  'organization.updated',
  'package.archived',
  'package.created',
  'package.updated',
  'package_price.archived',
  'package_price.created',
  'package_price.updated',
  'pricing_rule.archived',
  'pricing_rule.created',
  'pricing_rule.updated',
  'product.archived',
  'product.created',
  'product.updated',
  'product_key.activated',
  'product_key.cancellation_scheduled',
  'product_key.cancellation_withdrawn',
  'product_key.cancelled',
  'product_key.created',
  'product_key.disabled',
  'product_key.discount_applied',
  'product_key.discount_removed',
  'product_key.enabled',
  'product_key.expired',
  'product_key.payment_failed',
  'product_key.payment_succeeded',
  'product_key.period_closed',
  'product_key.pricing_rule_attached',
  'product_key.pricing_rule_detached',
  'product_key.quota_threshold_exceeded',
  'product_key.revealed',
  'product_key.rotated',
  'product_key.sla_attached',
  'product_key.sla_detached',
  'product_key.trial_expiring',
  'product_key.transferred',
  'product_key.trial_started',
  'product_key.updated',
  'product_key.usage_corrected',
  'product_offering.archived',
  'product_offering.created',
  'product_offering.superseded',
  'product_offering.updated',
  'product_version.archived',
  'product_version.created',
  'product_version.published',
  'product_version.unpublished',
  'product_version.updated',
  'signing_key.created',
  'signing_key.retired',
  'signing_key.withdrawn',
  'sla.breached',
  'sla.credited',
  'sla_definition.archived',
  'sla_definition.created',
  'sla_definition.updated',
  'subscription_type.archived',
  'subscription_type.created',
  'subscription_type.updated',
  'wallet.created',
  'wallet.updated',
  'wallet.credited',
  'wallet.debited',
] as const;

/** One of `changeTypes`. */
export type ChangeType = (typeof changeTypes)[number];

/**
 * Writes the one row that history, events and audit are read from, in the transaction that makes the change true. No round
 * trip: the row goes out with the transaction's other inserts.
 */
export function recordChange(tx: SqlTx, fact: ChangeFact): void {
  const { ctx } = tx;
  const { businessId, mode } = fact.tenant ?? tenantOf(ctx);
  tx.insert('changes', {
    businessId,
    mode,
    id: newId(),
    type: fact.type,
    objectType: fact.objectType,
    objectId: fact.objectId,
    sequence: fact.sequence,
    ...originOf(ctx),
    reason: fact.reason ?? null,
    before: fact.before ? asJson(fact.before) : null,
    after: fact.after ? asJson(fact.after) : null,
    snapshot: asJson(fact.snapshot),
    createdAt: ctx.now,
  } as never);
}

/** Who makes a change, and in which request. */
export function originOf(ctx: RequestContext) {
  return { ...actorOf(ctx), actorName: ctx.actor, requestId: ctx.requestId };
}

function actorOf({ viewer }: RequestContext): { actorKind: string; actorId: string | null } {
  switch (viewer.principal) {
    case 'API_KEY':
      return { actorKind: viewer.principal, actorId: viewer.apiKeyId };
    case 'CUSTOMER':
      return { actorKind: viewer.principal, actorId: viewer.sessionId };
    default:
      return { actorKind: viewer.principal, actorId: null };
  }
}

/** A row as JSON has it. Without lists of its fields: a purchase records four changes, each of dozens of them. */
function asJson(row: object): object {
  const json: Record<string, unknown> = {};
  for (const name in row) {
    const value = (row as Record<string, unknown>)[name];
    if (!(value instanceof Uint8Array)) json[name] = typeof value === 'bigint' ? value.toString() : value;
  }
  return json;
}
