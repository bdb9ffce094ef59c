import type { ProductKey, ProductKeyPayment } from '../generated/prisma/client.js';
import { columnsOf } from '../kernel/rows.js';
import type { SqlTx } from '../kernel/transaction.js';
import { byClock } from '../productKeys/life.js';
import { creditedMinor } from '../productKeys/readTerms.js';
import type { PaidPeriod } from '../productKeys/slaShares.js';
import { creditsOf } from '../productKeys/unusedCredit.js';

type Row = ProductKeyPayment & { creditedMinor: bigint };

const statement = `SELECT ${columnsOf('ProductKeyPayment', 'p')}, ${creditedMinor} FROM product_key_payments p
  WHERE p.business_id = $1 AND p.mode = $2 AND p.product_key_id = $3 AND p.result = 'SUCCEEDED'
    AND p.period_starts_at < $5 AND p.period_ends_at > $4
  ORDER BY p.period_starts_at, p.created_at, p.id`;

/**
 * A step: what was paid for a locked product key for billing periods that overlap [startsAt, endsAt), the earliest first. What its
 * cancellation gave back was not paid. The key's lock keeps others from taking of the same payments.
 */
export async function readPaid(
  tx: SqlTx,
  key: ProductKey,
  { startsAt, endsAt }: { readonly startsAt: Date; readonly endsAt: Date },
): Promise<PaidPeriod[]> {
  const rows = await tx.sql<Row>('paid_for_sla', statement, [key.businessId, key.mode, key.id, startsAt, endsAt]);
  return rows.map((payment) => ({
    paymentId: payment.id,
    currency: payment.currency as string,
    paidMinor: (payment.amountMinor ?? 0n) - givenBack(key, payment),
    creditedMinor: payment.creditedMinor,
  }));
}

/**
 * What the cancellation of a key gave back of a payment, by the rule that it went by. Where breaches before it had left less than
 * that, it gave less; then nothing is left, and this says no less than that.
 */
function givenBack(key: ProductKey, { creditedMinor: _, ...payment }: Row): bigint {
  const { cancelledAt } = key;
  if (cancelledAt === null) return 0n;
  const trialEndsAt = byClock(key, cancelledAt) === 'TRIALING' ? key.trialEndsAt : null;
  return creditsOf([payment], cancelledAt, trialEndsAt).get(payment.currency ?? '') ?? 0n;
}
