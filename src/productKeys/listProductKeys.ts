import type { ProductKeyOrder, ProductKeyOrderField, ProductKeyWhere } from '../generated/graphql.js';
import { inBrand } from '../kernel/brand.js';
import { hasMetadata, isAnyOf, isFoundIn, isWithin, type Condition } from '../kernel/condition.js';
import { uuidOf, type IdType } from '../kernel/id.js';
import type { Alternative, ListSpec, PageArgs } from '../kernel/page.js';
import { tenantOf, type RequestContext } from '../kernel/requestContext.js';
import { scopeOf } from '../kernel/tenancy.js';
import { keyHmacs } from '../licenseKeys/keyHmacs.js';
import { effectiveStatus } from './effective.js';

/** What says which product keys are listed, and in which order; where absent: all, the newest first. */
export interface ProductKeyListArgs extends PageArgs {
  where?: ProductKeyWhere | null;
  search?: string | null;
  orderBy?: ProductKeyOrder | null;
}

/** As the index on expirations has them; a key without one lasts to infinity. */
const END = "coalesce(t.expires_at, 'infinity'::timestamptz)";

const orders = {
  CREATED_AT: 't.created_at',
  START: 't.starts_at',
  EXPIRATION: END,
} satisfies Record<ProductKeyOrderField, string>;

/**
 * What the arguments of `productKeys` mean, at the root and below other objects.
 * @throws ClientError BAD_USER_INPUT for a search of fewer than two characters
 */
export function productKeyList(
  ctx: RequestContext,
  { where, search, orderBy }: ProductKeyListArgs,
): ListSpec<'ProductKey'> {
  const { field: name = 'CREATED_AT', direction = 'DESC' } = orderBy ?? {};
  return {
    model: 'ProductKey',
    scope: scopeOf(ctx, 'ProductKey'),
    conditions: [...inBrand(ctx), ...(where ? conditionsOf(ctx, where) : []), ...isFoundIn('t.search_text', search)],
    alternatives: where?.status ? statusAlternatives(ctx.now, where.status.in) : undefined,
    order: { name, expression: orders[name], type: 'timestamptz', direction },
  };
}

/**
 * Status as it is at this moment, in two alternatives: of nearly all keys nothing is due, and their stored status says it in the
 * order of an index; of the few that the worker has not written yet it is computed.
 */
function statusAlternatives(now: Date, statuses: readonly string[]): readonly Alternative[] {
  const computed: Condition = (place) =>
    `${effectiveStatus(`${place(now)}::timestamptz`)} = ANY(${place(statuses)}::product_key_status[])`;
  return [
    {
      conditions: [
        (place) => `(t.due_at <= ${place(now)}::timestamptz) IS NOT TRUE`,
        isAnyOf('status', statuses, 'product_key_status'),
      ],
    },
    { conditions: [(place) => `t.due_at IS NOT NULL AND t.due_at <= ${place(now)}::timestamptz`, computed], few: true },
  ];
}

function conditionsOf(ctx: RequestContext, where: ProductKeyWhere): Condition[] {
  const { tag, externalQuoteId, dataProviderConfigurationId, applicationExternalId, key, expiration } = where;
  const conditions = [
    ...isOneOf('id', 'ProductKey', where.id?.in),
    ...isOneOf('customer_id', 'Customer', where.ownerId?.in),
    ...isOneOf('organization_id', 'Organization', where.organizationId?.in),
    ...isOneOf('provider_organization_id', 'Organization', where.providerOrganizationId?.in),
    ...isWithin('t.starts_at', where.start ?? {}),
    ...isWithin('t.created_at', where.createdAt ?? {}),
  ];
  if (expiration?.gte || expiration?.lt)
    conditions.push(...isWithin(END, expiration), () => 't.expires_at IS NOT NULL');
  if (where.number) conditions.push(isAnyOf('number', where.number.in, 'text'));
  if (externalQuoteId) conditions.push(isAnyOf('external_quote_id', externalQuoteId.in, 'text'));
  if (dataProviderConfigurationId) {
    conditions.push(isAnyOf('data_provider_configuration_id', dataProviderConfigurationId.in, 'text'));
  }
  if (tag) conditions.push((place) => `t.tags && ${place(tag.in)}::text[]`);
  if (where.productId) conditions.push(isFor(where.productId.in));
  if (applicationExternalId) conditions.push(isUsedBy(ctx, applicationExternalId.in));
  if (key != null) conditions.push(hasText(ctx, key));
  if (where.metadata) conditions.push(hasMetadata(where.metadata));
  return conditions;
}

function isOneOf(column: string, type: IdType, ids: readonly string[] | undefined): Condition[] {
  return ids ? [isAnyOf(column, idsOf(type, ids), 'uuid')] : [];
}

const idsOf = (type: IdType, ids: readonly string[]) => ids.map((id) => uuidOf(type, id));

function isFor(productIds: readonly string[]): Condition {
  return (place) => `EXISTS (SELECT 1 FROM product_key_products j
    WHERE j.business_id = t.business_id AND j.mode = t.mode AND j.product_key_id = t.id
      AND j.product_id = ANY(${place(idsOf('Product', productIds))}::uuid[]))`;
}

/** By what the key says, and by what its applications are called elsewhere by now; found by these, not asked of each key. */
function isUsedBy(ctx: RequestContext, externalIds: readonly string[]): Condition {
  const { businessId, mode } = tenantOf(ctx);
  return (place) => {
    const tenant = (alias: string) => `${alias}.business_id = ${place(businessId)} AND ${alias}.mode = ${place(mode)}`;
    const ids = place(externalIds);
    return `t.id IN (SELECT k.id FROM product_keys k WHERE ${tenant('k')} AND k.application_external_id = ANY(${ids}::text[])
      UNION ALL SELECT j.product_key_id FROM product_key_applications j
      JOIN applications a ON a.business_id = j.business_id AND a.mode = j.mode AND a.id = j.application_id
      WHERE ${tenant('j')} AND a.external_id = ANY(${ids}::text[]))`;
  };
}

/** By its look-up value: the text itself is neither stored in the clear nor sent to the database. */
function hasText(ctx: RequestContext, key: string): Condition {
  const values = keyHmacs(ctx.keyring, tenantOf(ctx), key).map(({ keyHmac }) => keyHmac);
  return (place) => `t.id IN (SELECT l.product_key_id FROM product_key_lookups l
    WHERE l.business_id = t.business_id AND l.mode = t.mode AND l.key_hmac = ANY(${place(values)}::bytea[]))`;
}
