import type { PurchaseLicensesByWalletInput } from '../generated/graphql.js';
import { NO_ID, uuidOf } from '../kernel/id.js';
import { refuseIfAny, userError, type UserErrorData } from '../kernel/refusal.js';
import { tenantViewer, type RequestContext } from '../kernel/requestContext.js';
import { checkTags, tagsOf } from '../kernel/tags.js';
import { checkLength, presentText } from '../kernel/text.js';
import type { TenantViewer } from '../kernel/viewer.js';
import { checkKey } from '../licenseKeys/licenseKey.js';
import { checkAmount } from '../kernel/amount.js';
import { checkCodes, givenCodes, type GivenCode } from '../discounts/code.js';

const MAX_QUANTITY = 100;

/** A purchase as its input asks for it, once everything that needs no I/O is known to fit. */
export interface WantedPurchase {
  readonly walletId: string;
  readonly packageId: string;
  readonly subscriptionTypeId: string;
  /** A license key of the caller's own. */
  readonly code: string | null;
  /** The price of one, in minor units. */
  readonly unitAmount: bigint;
  readonly currency: string;
  readonly startDate: Date;
  readonly endDate: Date;
  readonly description: string | null;
  readonly tags: readonly string[];
  readonly quantity: number;
  /** As they were given; which takes off first, the discounts say. */
  readonly discountCodes: readonly GivenCode[];
  readonly customerCode: string | null;
  /** `customerId` of the input, else a session's own customer where no other is named. */
  readonly customerId: string | null;
}

/**
 * The rules of a purchase that need no I/O; blank text is absent.
 * @throws Refusal with all problems at once: InvalidInput, KeyBlank, InvalidAmount, InvalidCurrency, QuantityOutOfRange,
 *   CodeWithMultipleQuantity, InvalidDateRange, ModeMismatch
 */
export function wantedPurchase(ctx: RequestContext, input: PurchaseLicensesByWalletInput): WantedPurchase {
  const problems: UserErrorData[] = [];
  const viewer = tenantViewer(ctx);
  const wanted = {
    walletId: uuidOf('Wallet', input.walletId),
    packageId: uuidOf('Package', input.packageId),
    subscriptionTypeId: uuidOf('SubscriptionType', input.subscriptionTypeId),
    code: presentText(input.code),
    unitAmount: checkAmount(problems, input, 'OR_ZERO'),
    currency: input.currencyCode,
    startDate: input.startDate,
    endDate: input.endDate,
    description: presentText(input.description),
    tags: tagsOf(input.tags),
    quantity: input.quantity ?? 1,
    discountCodes: givenCodes(input),
    ...customerOf(problems, viewer, input),
  };
  if (wanted.code !== null) checkKey(problems, ['input', 'code'], wanted.code);
  checkLength(problems, ['input', 'description'], wanted.description, 1, 2000);
  checkTags(problems, wanted.tags);
  checkQuantity(problems, wanted);
  checkCodes(problems, input);
  checkDates(problems, input, ctx.now);
  checkMode(problems, viewer, input.testMode);
  refuseIfAny(problems);
  return wanted;
}

function checkQuantity(problems: UserErrorData[], { quantity, code }: { quantity: number; code: string | null }): void {
  if (quantity < 1 || quantity > MAX_QUANTITY) {
    const range = { minimum: 1, maximum: MAX_QUANTITY };
    const message = `Buy 1 to ${MAX_QUANTITY} licenses at once; it is ${quantity}.`;
    problems.push(userError('QuantityOutOfRange', ['input', 'quantity'], message, range));
  }
  if (code !== null && quantity > 1) {
    const message = 'A key of your own serves one license. Leave out `code`, or buy one at a time.';
    problems.push(userError('CodeWithMultipleQuantity', ['input', 'code'], message));
  }
}

function checkDates(problems: UserErrorData[], window: { startDate: Date; endDate: Date }, now: Date): void {
  const { startDate, endDate } = window;
  const refuse = (field: string, message: string) =>
    problems.push(userError('InvalidDateRange', ['input', field], message, { latestEndDate: null }));
  if (endDate <= startDate) refuse('startDate', 'The start lies after the end. Give an end after the start.');
  else if (endDate <= now) refuse('endDate', 'The end has passed. Give an end in the future.');
}

function checkMode(problems: UserErrorData[], { mode }: TenantViewer, testMode: boolean | null | undefined): void {
  if (testMode == null || testMode === (mode === 'TEST')) return;
  const message = `The token is for ${mode.toLowerCase()} data. Leave out \`testMode\`, or use a token of the other mode.`;
  problems.push(userError('ModeMismatch', ['input', 'testMode'], message));
}

function customerOf(
  problems: UserErrorData[],
  viewer: TenantViewer,
  input: PurchaseLicensesByWalletInput,
): { customerCode: string | null; customerId: string | null } {
  const customerCode = presentText(input.customerCode);
  const givenId = presentText(input.customerId);
  if (givenId !== null) return { customerCode, customerId: uuidOf('Customer', givenId) };
  if (customerCode !== null) return { customerCode, customerId: null };
  if (viewer.principal === 'CUSTOMER') return { customerCode, customerId: viewer.customerId };
  const message = 'Name the customer by `customerCode` or `customerId`: an API key buys for somebody.';
  problems.push(userError('InvalidInput', ['input', 'customerCode'], message));
  return { customerCode, customerId: NO_ID };
}
