import type { LicenseKeyOrder, LicenseKeyWhere } from '../generated/graphql.js';
import { inBrand } from '../kernel/brand.js';
import { hasMetadata, isAnyOf, isWithin, type Condition } from '../kernel/condition.js';
import { uuidOf } from '../kernel/id.js';
import type { ListSpec, PageArgs } from '../kernel/page.js';
import { tenantOf, type RequestContext } from '../kernel/requestContext.js';
import { scopeOf } from '../kernel/tenancy.js';
import { keyHmacs } from './keyHmacs.js';
import { isEnded } from './keysEnded.js';

/** What says which keys are listed, and in which order; where absent: all, the newest first. */
export interface LicenseKeyListArgs extends PageArgs {
  where?: LicenseKeyWhere | null;
  orderBy?: LicenseKeyOrder | null;
}

/** What the arguments of `licenseKeys` mean, at the root and below other objects. */
export function licenseKeyList(ctx: RequestContext, { where, orderBy }: LicenseKeyListArgs): ListSpec<'LicenseKey'> {
  const direction = orderBy?.direction ?? 'DESC';
  return {
    model: 'LicenseKey',
    scope: scopeOf(ctx, 'LicenseKey'),
    conditions: [...inBrand(ctx), ...(where ? conditionsOf(ctx, where) : [])],
    order: { name: 'CREATED_AT', expression: 't.created_at', type: 'timestamptz', direction },
  };
}

function conditionsOf(ctx: RequestContext, where: LicenseKeyWhere): Condition[] {
  const { id, customerId, licenseId, status, source, last4, key, metadata } = where;
  const conditions = [
    ...isWithin('t.expires_at', where.expiresAt ?? {}),
    ...isWithin('t.created_at', where.createdAt ?? {}),
  ];
  const ids = (type: 'LicenseKey' | 'Customer' | 'License', filter: { in: readonly string[] }) =>
    filter.in.map((one) => uuidOf(type, one));
  if (id) conditions.push(isAnyOf('id', ids('LicenseKey', id), 'uuid'));
  if (customerId) conditions.push(isAnyOf('customer_id', ids('Customer', customerId), 'uuid'));
  if (licenseId) conditions.push(hangsOn(ids('License', licenseId)));
  if (status) conditions.push(hasStatus(ctx, status.in));
  if (source) conditions.push((place) => `t.source = ANY(${place(source.in)}::license_key_source[])`);
  if (last4) conditions.push(isAnyOf('last4', last4.in, 'text'));
  if (key != null) conditions.push(hasText(ctx, key));
  if (metadata) conditions.push(hasMetadata(metadata));
  return conditions;
}

/** By its effective status: a key whose last license ended by itself is disabled from that instant on. */
function hasStatus({ now }: RequestContext, statuses: readonly string[]): Condition {
  return (place) =>
    `(CASE WHEN ${isEnded(place(now), 't')} THEN 'DISABLED' ELSE t.status END) = ANY(${place(statuses)}::license_key_status[])`;
}

function hangsOn(licenseIds: string[]): Condition {
  return (place) => `t.id IN (SELECT b.license_key_id FROM license_key_bindings b
    WHERE b.business_id = t.business_id AND b.mode = t.mode AND b.license_id = ANY(${place(licenseIds)}::uuid[]))`;
}

/** By its look-up value: the text itself is neither stored in the clear nor sent to the database. */
function hasText(ctx: RequestContext, key: string): Condition {
  const values = keyHmacs(ctx.keyring, tenantOf(ctx), key).map(({ keyHmac }) => keyHmac);
  return (place) => `t.id IN (SELECT l.license_key_id FROM license_key_lookups l
    WHERE l.business_id = t.business_id AND l.mode = t.mode AND l.key_hmac = ANY(${place(values)}::bytea[]))`;
}
