import type { PaymentResult, ProductKey, ProductKeyPayment } from '../generated/prisma/client.js';
import { Refusal, userError, type UserErrorData } from '../kernel/refusal.js';
import { columnsOf } from '../kernel/rows.js';
import type { ConflictRefusals, SqlTx } from '../kernel/transaction.js';

/** A payment as it was told; without a period: the caller left it to the key. */
export type ToldPayment = Pick<
  ProductKeyPayment,
  'externalPaymentId' | 'result' | 'amountMinor' | 'currency' | 'periodStartsAt' | 'periodEndsAt'
>;

function conflict(recorded: PaymentResult): UserErrorData {
  const message = `The payment is recorded as ${recorded}, of this or another product key, and it is not the same. Read \`payments\`.`;
  return userError('PaymentConflict', ['input', 'externalPaymentId'], message, { recorded });
}

/** What to answer when another product key's payment takes the id at the same time: a use case's third argument. */
export function paymentTaken(result: PaymentResult): ConflictRefusals {
  return { product_key_payments_business_id_mode_external_payment_id_r_key: () => conflict(result) };
}

/**
 * A step: the payment that was told before just as it is told now; null: it was not told, or failed before and succeeds now.
 * @throws Refusal PaymentConflict when something else was recorded about the payment
 */
export async function findRecorded(tx: SqlTx, key: ProductKey, told: ToldPayment): Promise<ProductKeyPayment | null> {
  const rows = await tx.sql<ProductKeyPayment>(
    'recorded_payments',
    `SELECT ${columnsOf('ProductKeyPayment')} FROM product_key_payments
      WHERE business_id = $1 AND mode = $2 AND external_payment_id = $3`,
    [key.businessId, key.mode, told.externalPaymentId],
  );
  const same = rows.find(({ result }) => result === told.result);
  if (same) {
    if (isSame(same, key, told)) return same;
    throw new Refusal([conflict(same.result)]);
  }
  const [other] = rows;
  if (other && (other.productKeyId !== key.id || other.result === 'SUCCEEDED'))
    throw new Refusal([conflict(other.result)]);
  return null;
}

function isSame(recorded: ProductKeyPayment, key: ProductKey, told: ToldPayment): boolean {
  const isOfPeriod =
    told.periodStartsAt === null ||
    (recorded.periodStartsAt?.getTime() === told.periodStartsAt.getTime() &&
      recorded.periodEndsAt?.getTime() === told.periodEndsAt?.getTime());
  const isOfAmount = recorded.amountMinor === told.amountMinor && recorded.currency === told.currency;
  return recorded.productKeyId === key.id && isOfPeriod && isOfAmount;
}

/** A step: whether another payment came in for what a failed one was for; one without a period was for now. */
export async function isPaidOtherwise(tx: SqlTx, key: ProductKey, failed: ProductKeyPayment): Promise<boolean> {
  const from = failed.periodStartsAt ?? tx.ctx.now;
  const until = failed.periodEndsAt ?? new Date(from.getTime() + 1);
  const rows = await tx.sql(
    'paid_otherwise',
    `SELECT 1 AS one FROM product_key_payments
      WHERE business_id = $1 AND mode = $2 AND product_key_id = $3 AND result = 'SUCCEEDED'
        AND period_starts_at < $5 AND period_ends_at > $4 LIMIT 1`,
    [key.businessId, key.mode, key.id, from, until],
  );
  return rows.length > 0;
}
