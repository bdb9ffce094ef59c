import { recordChange } from '../events/recordChange.js';
import type { CreateProductKeyInput } from '../generated/graphql.js';
import type { Customer, Product, ProductKey } from '../generated/prisma/client.js';
import { drawNumbers } from '../kernel/drawNumber.js';
import { tenantOf } from '../kernel/requestContext.js';
import { mergedMetadata, presentText } from '../kernel/text.js';
import type { SqlTx } from '../kernel/transaction.js';
import { textFor } from './generatedText.js';
import { byClock, noticeOf, trialEndOf } from './life.js';
import { quotaPeriodAt, thousandthsOf } from './meter.js';
import { eachTagOf } from './productKeyFields.js';
import { sealProductKey, textRows } from './productKeyText.js';

/** What a new product key is made of, once everything that its input names was found. */
export interface ProductKeyParts {
  readonly id: string;
  readonly owner: Customer;
  /** At least one; the first decides what one product must decide. */
  readonly products: readonly Product[];
  readonly providerOrganizationId: string | null;
  readonly organizationId: string | null;
}

/**
 * A step: writes a product key with its meter and text, and records `product_key.created`; buffered but for its number.
 * @returns the row
 */
export async function addProductKey(
  tx: SqlTx,
  input: CreateProductKeyInput,
  parts: ProductKeyParts,
): Promise<ProductKey> {
  const { now, keyring } = tx.ctx;
  const tenant = tenantOf(tx.ctx);
  const [product] = parts.products as [Product];
  const [number] = (await drawNumbers(tx, 'ProductKey', 1)) as [string];
  const text = presentText(input.key) ?? textFor(product);
  const trialEndsAt = trialEndOf(input.start, product.trialDays);
  const disabled = input.valid !== false ? { at: null, by: null } : ({ at: now, by: 'MANUAL' } as const);
  const row = {
    ...tenant,
    id: parts.id,
    number,
    status: input.valid !== false ? byClock({ startsAt: input.start, trialEndsAt }, now) : ('DISABLED' as const),
    customerId: parts.owner.id,
    providerOrganizationId: parts.providerOrganizationId,
    organizationId: parts.organizationId,
    description: input.description.trim(),
    ...sealProductKey(tx, text, parts.id),
    startsAt: input.start,
    trialEndsAt,
    trialNoticeAt: input.notifyOnTrialExpiry ? noticeOf({ startsAt: input.start, trialEndsAt }) : null,
    trialNotifiedAt: null,
    expiresAt: input.expiration ?? null,
    expiredAt: null,
    disabledAt: disabled.at,
    disabledBy: disabled.by,
    disabledReason: null,
    cancelAt: null,
    cancelledAt: null,
    externalQuoteId: presentText(input.externalQuoteId),
    applicationExternalId: presentText(input.applicationExternalId),
    dataProviderConfigurationId: presentText(input.dataProviderConfigurationId),
    notifyCreatorOnCreation: input.notifyCreatorOnCreation,
    notifyOwnerOnQuotaThreshold: input.notifyOwnerOnQuotaThreshold,
    notifyOnTrialExpiry: input.notifyOnTrialExpiry,
    disableOnPaymentFailed: input.disableOnPaymentFailed,
    allowMidPeriodCancellation: input.allowMidPeriodCancellation,
    tags: eachTagOf(input.tags),
    metadata: mergedMetadata({}, input.metadata),
    version: 1,
    createdAt: now,
    updatedAt: now,
  };
  tx.insert('product_keys', row as never);
  tx.insert('product_key_lookups', ...(textRows(keyring, tenant, text, parts.id) as never[]));
  addMeter(tx, input, product, parts.id);
  recordChange(tx, {
    type: 'product_key.created',
    objectType: 'ProductKey',
    objectId: parts.id,
    sequence: 1,
    snapshot: { ...row, productIds: parts.products.map(({ id }) => id), quota: input.quota ?? null },
  });
  return row as ProductKey;
}

/** The opening count is of the present period; of a key that has not started, of its first one. */
function addMeter(tx: SqlTx, input: CreateProductKeyInput, product: Product, id: string): void {
  const { quotaPeriod, quotaAnchor, overQuota } = product;
  const { now } = tx.ctx;
  const period = quotaPeriodAt(product, input.start, now > input.start ? now : input.start);
  const threshold = input.quotaNotificationThreshold;
  tx.insert('product_key_meters', {
    ...tenantOf(tx.ctx),
    id,
    quota: input.quota ?? null,
    overQuota,
    consumed: input.consumedQuota ?? 0n,
    quotaPeriod,
    quotaAnchor,
    periodStartsAt: period.start,
    periodEndsAt: period.end,
    threshold: threshold == null ? null : thousandthsOf(threshold),
    thresholdNotifiedPeriod: null,
  });
}
