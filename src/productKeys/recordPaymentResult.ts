import type { RecordPaymentResultInput } from '../generated/graphql.js';
import type { ProductKey, ProductKeyPayment } from '../generated/prisma/client.js';
import { checkAmount } from '../kernel/amount.js';
import { newId } from '../kernel/id.js';
import { refuseIfAny, userError, type UserErrorData } from '../kernel/refusal.js';
import { tenantOf, type RequestContext } from '../kernel/requestContext.js';
import { checkLength, presentText } from '../kernel/text.js';
import { inTransaction, type SqlTx } from '../kernel/transaction.js';
import { changeProductKey } from './changeProductKey.js';
import { lockProductKey, refuseEnded } from './lockProductKey.js';
import { meterAsOf } from './meter.js';
import { findRecorded, isPaidOtherwise, paymentTaken, type ToldPayment } from './payments.js';
import { readMeter } from './readTerms.js';
import { settleBreaches } from './settleBreaches.js';
import { switchOff, switchOn } from './switchProductKey.js';

/**
 * Records what a billing system tells of a payment. A failure disables the key where it says so, unless its period has been paid
 * otherwise; a success undoes what a failure disabled, and gives back what breaches of SLAs in its period deserve. The same payment told again changes nothing, also when
 * the key has ended since; a payment that failed may succeed, one that succeeded stays so.
 * @throws Refusal InvalidInput, InvalidAmount, InvalidCurrency, ProductKeyNotFound, ModeMismatch, BrandMismatch, PaymentConflict,
 *   ProductKeyEnded, BalanceLimitExceeded
 */
export async function recordPaymentResult(
  ctx: RequestContext,
  input: RecordPaymentResultInput,
): Promise<{ productKeyId: string; customerId: string; paymentId: string }> {
  const problems = problemsOf(input);
  const amountMinor = amountOf(problems, input);
  refuseIfAny(problems);
  return inTransaction(
    ctx,
    async (tx) => {
      const key = await lockProductKey(tx, input);
      const refs = { productKeyId: key.id, customerId: key.customerId };
      const told: ToldPayment = {
        externalPaymentId: input.externalPaymentId.trim(),
        result: input.result,
        amountMinor,
        currency: amountMinor === null ? null : (input.currencyCode ?? null),
        periodStartsAt: input.periodStart ?? null,
        periodEndsAt: input.periodEnd ?? null,
      };
      const recorded = await findRecorded(tx, key, told);
      if (recorded) return { ...refs, paymentId: recorded.id };
      refuseEnded(key);
      const payment = await addPayment(tx, key, told);
      await carryOut(tx, key, payment, presentText(input.reason));
      await settleBreaches(tx, key, payment);
      return { ...refs, paymentId: payment.id };
    },
    paymentTaken(input.result),
  );
}

function problemsOf(input: RecordPaymentResultInput): UserErrorData[] {
  const { externalPaymentId, periodStart, periodEnd, reason } = input;
  const problems: UserErrorData[] = [];
  checkLength(problems, ['input', 'externalPaymentId'], externalPaymentId.trim(), 1, 255);
  checkLength(problems, ['input', 'reason'], presentText(reason), 1, 2000);
  if ((periodStart == null) !== (periodEnd == null)) {
    const field = periodStart == null ? 'periodStart' : 'periodEnd';
    problems.push(userError('InvalidInput', ['input', field], 'Give both ends of the period, or none.'));
  } else if (periodStart && periodEnd && periodEnd <= periodStart) {
    problems.push(userError('InvalidInput', ['input', 'periodEnd'], 'Give an instant after `periodStart`.'));
  }
  return problems;
}

/** Minor units; null when no amount is given, which only a failure may leave out. */
function amountOf(
  problems: UserErrorData[],
  { amount, currencyCode, result }: RecordPaymentResultInput,
): bigint | null {
  if (amount != null && currencyCode != null) return checkAmount(problems, { amount, currencyCode }, 'OR_ZERO');
  if (amount == null && currencyCode == null && result === 'FAILED') return null;
  const field = amount == null ? 'amount' : 'currencyCode';
  problems.push(
    userError('InvalidInput', ['input', field], 'Give the amount and its currency; a failure may leave out both.'),
  );
  return null;
}

/** @throws Refusal InvalidInput where no period is given for a success and the quota's present one has no end */
async function addPayment(tx: SqlTx, key: ProductKey, told: ToldPayment): Promise<ProductKeyPayment> {
  const { now } = tx.ctx;
  const { periodStartsAt, periodEndsAt } = told;
  const meter = meterAsOf(await readMeter(tx, key), key.startsAt, now);
  const isPresent = periodStartsAt === null && meter.periodEndsAt !== null;
  if (periodStartsAt === null && !isPresent && told.result === 'SUCCEEDED') {
    const message = 'The quota has no period that ends. Give the period that was paid for.';
    refuseIfAny([userError('InvalidInput', ['input', 'periodStart'], message)]);
  }
  const payment = {
    ...tenantOf(tx.ctx),
    id: newId(),
    productKeyId: key.id,
    ...told,
    periodStartsAt: isPresent ? meter.periodStartsAt : periodStartsAt,
    periodEndsAt: isPresent ? meter.periodEndsAt : periodEndsAt,
    createdAt: now,
  };
  tx.insert('product_key_payments', payment);
  return payment;
}

async function carryOut(tx: SqlTx, key: ProductKey, payment: ProductKeyPayment, reason: string | null): Promise<void> {
  const hasSucceeded = payment.result === 'SUCCEEDED';
  const { amountMinor, currency, periodStartsAt, periodEndsAt } = payment;
  const after = {
    paymentId: payment.id,
    amountMinor: amountMinor?.toString() ?? null,
    currency,
    periodStartsAt,
    periodEndsAt,
  };
  const type = hasSucceeded ? 'product_key.payment_succeeded' : 'product_key.payment_failed';
  const told = await changeProductKey(tx, key, {}, { type, reason, aside: { before: {}, after } });
  if (hasSucceeded) {
    if (told.disabledBy === 'PAYMENT') await switchOn(tx, told, reason);
  } else if (told.disableOnPaymentFailed && told.status !== 'DISABLED') {
    if (!(await isPaidOtherwise(tx, told, payment))) await switchOff(tx, told, { by: 'PAYMENT', reason });
  }
}
