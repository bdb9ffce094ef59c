import { recordUpdate } from '../events/recordUpdate.js';
import type { UpdateProductOfferingInput } from '../generated/graphql.js';
import type { ProductOffering } from '../generated/prisma/client.js';
import { checkAmount } from '../kernel/amount.js';
import { changedFields } from '../kernel/changedFields.js';
import { userError, refuseIfAny, type UserErrorData } from '../kernel/refusal.js';
import type { RequestContext } from '../kernel/requestContext.js';
import { checkLength, checkMetadata, checkNotNull, checkRange } from '../kernel/text.js';
import { mergedMetadataWithin, presentText } from '../kernel/text.js';
import { inTransaction } from '../kernel/transaction.js';
import { refuseIfStale } from '../kernel/version.js';
import { isOfferingSold } from './isSold.js';
import { lockForRevision, refuseUnavailable } from './lockOffering.js';
import { reviseOffering, type OfferingChange } from './reviseOffering.js';

/**
 * Changes an offering: absent leaves, null clears, metadata merges. Its terms (name, description, license type, price, billing
 * period, bound months) change in place until it is sold; then other terms make a new revision. Group and metadata are the
 * vendor's own filing, not what was sold: they change in place, even of an offering that cannot be had any more.
 * @returns the offering with the changes, and the one that it supersedes, if any
 * @throws Refusal InvalidInput, InvalidAmount, InvalidCurrency, ProductOfferingNotFound, StaleObject,
 *   ProductOfferingSuperseded, ProductOfferingUnavailable for other terms of an archived one
 */
export async function updateProductOffering(
  ctx: RequestContext,
  input: UpdateProductOfferingInput,
): Promise<{ productOfferingId: string; supersededId: string | null }> {
  refuseIfAny(problemsOf(input));
  return inTransaction(ctx, async (tx) => {
    const current = await lockForRevision(tx, input.productOfferingId);
    refuseIfStale(current, input.expectedVersion);
    const terms = termsOf(current, input);
    const change: OfferingChange = { ...terms, metadata: mergedMetadataWithin(current.metadata, input.metadata) };
    if (input.group !== undefined) change.groupName = presentText(input.group);
    if (changedFields(current, terms)) {
      await refuseUnavailable(tx, current);
      if (await isOfferingSold(tx, current.id)) {
        return { productOfferingId: await reviseOffering(tx, current, change), supersededId: current.id };
      }
    }
    await recordUpdate(tx, 'product_offering.updated', { model: 'ProductOffering', current, change });
    return { productOfferingId: current.id, supersededId: null };
  });
}

function problemsOf(input: UpdateProductOfferingInput): UserErrorData[] {
  const problems: UserErrorData[] = [];
  checkNotNull(problems, input, 'name', 'licenseType', 'amount', 'currencyCode', 'billingPeriod', 'boundMonths');
  checkLength(problems, ['input', 'name'], input.name?.trim(), 1, 255);
  checkLength(problems, ['input', 'description'], presentText(input.description), 1, 2000);
  checkLength(problems, ['input', 'licenseType'], input.licenseType?.trim(), 1, 64);
  const { amount, currencyCode } = input;
  if (amount != null && currencyCode != null) checkAmount(problems, { amount, currencyCode }, 'OR_ZERO');
  checkRange(problems, ['input', 'boundMonths'], input.boundMonths, 0, 120);
  checkLength(problems, ['input', 'group'], presentText(input.group), 1, 255);
  checkMetadata(problems, ['input', 'metadata'], input.metadata);
  return problems;
}

/** The terms that the input names. */
function termsOf(current: ProductOffering, input: UpdateProductOfferingInput): Partial<ProductOffering> {
  const terms: Partial<ProductOffering> = priceOf(current, input);
  if (input.name != null) terms.name = input.name.trim();
  if (input.description !== undefined) terms.description = presentText(input.description);
  if (input.licenseType != null) terms.licenseType = input.licenseType.trim();
  if (input.billingPeriod != null) terms.billingPeriod = input.billingPeriod;
  if (input.boundMonths != null) terms.boundMonths = input.boundMonths;
  return terms;
}

/** @throws Refusal InvalidAmount; InvalidInput for another currency without an amount in it: nobody knows the rate */
function priceOf(
  current: ProductOffering,
  { amount, currencyCode }: UpdateProductOfferingInput,
): Pick<ProductOffering, 'priceMinor' | 'currency'> | object {
  const problems: UserErrorData[] = [];
  const currency = currencyCode ?? current.currency;
  if (amount == null && currency !== current.currency) {
    problems.push(userError('InvalidInput', ['input', 'amount'], 'Give the amount in the new currency.'));
  }
  const priceMinor = amount == null ? null : checkAmount(problems, { amount, currencyCode: currency }, 'OR_ZERO');
  refuseIfAny(problems);
  return priceMinor === null ? {} : { priceMinor, currency };
}
