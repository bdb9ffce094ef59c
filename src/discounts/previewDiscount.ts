import type { PreviewDiscountInput } from '../generated/graphql.js';
import { checkCurrency } from '../kernel/amount.js';
import { NO_ID, uuidOf } from '../kernel/id.js';
import { moneyOf, type Money } from '../kernel/money.js';
import { Refusal, refusal, refuseIfAny, userError, type UserErrorData } from '../kernel/refusal.js';
import { tenantViewer, type RequestContext } from '../kernel/requestContext.js';
import { presentText } from '../kernel/text.js';
import { readerOf } from '../kernel/transaction.js';
import { applyDiscounts, type PricedSale } from './applyDiscounts.js';
import { checkCodes, givenCodes } from './code.js';
import { findDiscounts } from './findDiscounts.js';
import { findSale, type WantedSale } from './findSale.js';

/** What a sale would cost; nothing but why, where it is refused. */
export interface DiscountPreview {
  readonly priced: (PricedSale & { readonly currency: string; readonly licenseAmounts: readonly bigint[] }) | null;
  readonly userErrors: readonly UserErrorData[];
}

/** The fields of a preview, as the API shows them. */
export const previewFields = {
  undiscounted: ({ priced }: DiscountPreview) => priced && moneyOf(priced.undiscountedMinor, priced.currency),
  discount: ({ priced }: DiscountPreview) =>
    priced && moneyOf(priced.undiscountedMinor - priced.totalMinor, priced.currency),
  total: ({ priced }: DiscountPreview) => priced && moneyOf(priced.totalMinor, priced.currency),
  applied({ priced }: DiscountPreview) {
    if (!priced) return null;
    const money = (minor: bigint): Money => moneyOf(minor, priced.currency);
    return priced.takenOff.map(({ code, amountMinor, remainingMinor }) => {
      return { code, amount: money(amountMinor), remaining: money(remainingMinor) };
    });
  },
  licenseAmounts: ({ priced }: DiscountPreview) =>
    priced && priced.licenseAmounts.map((minor) => moneyOf(minor, priced.currency)),
};

/**
 * What a purchase would cost now, by the rule that the purchase goes by, without a lock and without writing.
 */
export async function previewDiscount(ctx: RequestContext, input: PreviewDiscountInput): Promise<DiscountPreview> {
  const reader = readerOf(ctx);
  try {
    const wanted = wantedSale(ctx, input);
    const sale = await findSale(reader, wanted);
    const asked = await findDiscounts(reader, givenCodes(input), wanted.customerId, 'READ');
    const priced = applyDiscounts(sale, asked);
    const licenseAmounts = sale.lines.flatMap(({ unitAmountMinor }, line) =>
      (priced.unitDiscounts[line] as readonly bigint[]).map((off) => unitAmountMinor - off),
    );
    return { priced: { ...priced, currency: sale.currency, licenseAmounts }, userErrors: [] };
  } catch (error) {
    if (error instanceof Refusal) return { priced: null, userErrors: error.errors };
    throw error;
  }
}

function wantedSale(ctx: RequestContext, input: PreviewDiscountInput): WantedSale {
  const problems: UserErrorData[] = [];
  const quantity = input.quantity ?? 1;
  if (quantity < 1 || quantity > 100) {
    const message = `Buy 1 to 100 licenses at once; it is ${quantity}.`;
    problems.push(userError('QuantityOutOfRange', ['input', 'quantity'], message, { minimum: 1, maximum: 100 }));
  }
  checkCurrency(problems, input.currencyCode);
  checkCodes(problems, input);
  const [packageId, subscriptionTypeId, productOfferingId] = [
    presentText(input.packageId),
    presentText(input.subscriptionTypeId),
    presentText(input.productOfferingId),
  ];
  const isPackage = packageId !== null && subscriptionTypeId !== null && productOfferingId === null;
  const isOffering = packageId === null && subscriptionTypeId === null && productOfferingId !== null;
  if (!isPackage && !isOffering) {
    const message = 'Give `packageId` and `subscriptionTypeId`, or else `productOfferingId`.';
    problems.push(userError('InvalidInput', ['input', 'packageId'], message));
  }
  const customerId = customerOf(ctx, problems, input);
  refuseIfAny(problems);
  return {
    packageId: packageId && uuidOf('Package', packageId),
    subscriptionTypeId: subscriptionTypeId && uuidOf('SubscriptionType', subscriptionTypeId),
    productOfferingId: productOfferingId && uuidOf('ProductOffering', productOfferingId),
    currency: input.currencyCode,
    quantity,
    customerId,
  };
}

/** A session asks for its own customer; nobody else is there for it. */
function customerOf(ctx: RequestContext, problems: UserErrorData[], input: PreviewDiscountInput): string {
  const viewer = tenantViewer(ctx);
  const path = ['input', 'customerId'];
  const given = presentText(input.customerId);
  const id = given === null ? null : uuidOf('Customer', given);
  if (viewer.principal === 'CUSTOMER') {
    if (id === null || id === viewer.customerId) return viewer.customerId;
    throw refusal('CustomerNotFound', path, 'There is no customer with this id.');
  }
  if (id !== null) return id;
  problems.push(userError('InvalidInput', path, 'Name the customer who buys: an API key asks for somebody.'));
  return NO_ID;
}
