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
  const isEndedEarly = rows.length > 0 && (await wasEndedAtOnce(tx, key));
  return rows.map((payment) => ({
    paymentId: payment.id,
    currency: payment.currency as string,
    paidMinor: (payment.amountMinor ?? 0n) - (isEndedEarly ? givenBack(key, payment) : 0n),
    creditedMinor: payment.creditedMinor,
  }));
}

/**
 * Whether somebody ended a key at once, which gives back what is not used. An end that was scheduled before is written by the server,
 * and gives nothing back, also not of what was paid later for a time after it.
 */
async function wasEndedAtOnce(tx: SqlTx, { businessId, mode, id, cancelledAt, version }: ProductKey): Promise<boolean> {
  if (cancelledAt === null) return false;
  const ends = await tx.sql(
    'product_key_ended_at_once',
    `SELECT 1 AS one FROM changes WHERE business_id = $1 AND mode = $2 AND object_type = 'ProductKey' AND object_id = $3
        AND sequence <= $4 AND type = 'product_key.cancelled' AND actor_kind <> 'SYSTEM' LIMIT 1`,
    [businessId, mode, id, version],
  );
  return ends.length > 0;
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
