import type { UpdateProductKeyInput } from '../generated/graphql.js';
import type { ProductKey } from '../generated/prisma/client.js';
import { refuseErased } from '../kernel/erased.js';
import { refuseIfAny, type UserErrorData } from '../kernel/refusal.js';
import type { RequestContext } from '../kernel/requestContext.js';
import { checkNotNull, mergedMetadataWithin, presentText } from '../kernel/text.js';
import { inSqlTransaction, type SqlTx } from '../kernel/transaction.js';
import { changeMeter } from './changeMeter.js';
import { changeNamed } from './changeNamed.js';
import { changeProductKey } from './changeProductKey.js';
import { findNamed } from './findNamed.js';
import { holdCustomer } from './findOwner.js';
import { noticeOf } from './life.js';
import { lockProductKey, refuseEnded } from './lockProductKey.js';
import { beginMoved, checkPaidStart, startChange } from './moveStart.js';
import { noticeThresholds } from './noticeThresholds.js';
import { checkExpiration, eachTagOf, fieldProblems } from './productKeyFields.js';

const fixed = [
  'start',
  'productIds',
  'description',
  'overQuota',
  'notifyOwnerOnQuotaThreshold',
  'disableOnPaymentFailed',
  'allowMidPeriodCancellation',
  'notifyOnTrialExpiry',
] as const;

/**
 * Changes a product key that has not ended: absent leaves, null clears, metadata merges, lists are replaced. A change of nothing
 * writes nothing. A start that has come meanwhile is written as its own event.
 * @throws Refusal InvalidInput, ProductKeyStarted, InvalidExpiry, ProductKeyNotFound, ModeMismatch, BrandMismatch, StaleObject, ProductKeyEnded,
 *   CustomerErased, ProductNotFound, ProductArchived, ProductUnpublished, OrganizationNotFound, OrganizationArchived,
 *   ApplicationNotFound, ApplicationArchived
 */
export async function updateProductKey(
  ctx: RequestContext,
  input: UpdateProductKeyInput,
): Promise<{ productKeyId: string; customerId: string }> {
  const problems = fieldProblems(input);
  checkNotNull(problems, input, ...fixed);
  refuseIfAny(problems);
  return inSqlTransaction(ctx, async (tx) => {
    const key = await lockProductKey(tx, input);
    refuseEnded(key);
    const owner = await holdCustomer(tx, key.customerId);
    if (owner) refuseErased(owner, ['input', 'productKeyId']);
    const late: UserErrorData[] = [];
    const moved = startChange(late, key, input, ctx.now);
    if (moved) await checkPaidStart(tx, late, key, moved);
    const next = { ...key, ...moved };
    checkExpiration(late, input.expiration, { start: next.startsAt, now: ctx.now });
    const change = { ...moved, ...columnsFor(next, input), ...(await organizationsFor(tx, late, key, input)) };
    const named = await changeNamed(tx, late, key, input);
    refuseIfAny(late);
    const metered = await changeMeter(tx, key, input);
    const aside = {
      before: { ...named?.before, ...metered?.aside?.before },
      after: { ...named?.after, ...metered?.aside?.after },
    };
    const fact = { type: 'product_key.updated', reason: null } as const;
    const changed = await changeProductKey(tx, key, change, named || metered ? { ...fact, aside } : fact);
    const begun = moved && (await beginMoved(tx, changed));
    const meter = metered?.exceeded && { ...metered.exceeded, ...begun?.period };
    if (meter) await noticeThresholds(tx, [{ key: begun?.key ?? changed, meter }]);
    return { productKeyId: key.id, customerId: key.customerId };
  });
}

function columnsFor(key: ProductKey, input: UpdateProductKeyInput): Partial<ProductKey> {
  const change: Partial<ProductKey> = { metadata: mergedMetadataWithin(key.metadata, input.metadata) };
  if (input.description != null) change.description = input.description.trim();
  if (input.expiration !== undefined) change.expiresAt = input.expiration;
  for (const field of ['externalQuoteId', 'applicationExternalId', 'dataProviderConfigurationId'] as const) {
    if (input[field] !== undefined) change[field] = presentText(input[field]);
  }
  for (const field of [
    'notifyOwnerOnQuotaThreshold',
    'disableOnPaymentFailed',
    'allowMidPeriodCancellation',
  ] as const) {
    if (input[field] != null) change[field] = input[field];
  }
  if (input.notifyOnTrialExpiry != null) {
    change.notifyOnTrialExpiry = input.notifyOnTrialExpiry;
    change.trialNoticeAt = input.notifyOnTrialExpiry ? noticeOf(key) : null;
  }
  if (input.tags !== undefined) change.tags = eachTagOf(input.tags);
  return change;
}

async function organizationsFor(
  tx: SqlTx,
  problems: UserErrorData[],
  key: ProductKey,
  input: UpdateProductKeyInput,
): Promise<Partial<ProductKey>> {
  const change: Partial<ProductKey> = {};
  for (const field of ['providerOrganizationId', 'organizationId'] as const) {
    const given = input[field];
    if (given === undefined) continue;
    const named = given === null ? [] : [{ id: given, path: ['input', field] }];
    change[field] = (await findNamed(tx, problems, 'Organization', named, new Set([key[field]])))[0] ?? null;
  }
  return change;
}
