import { recordChange } from '../events/recordChange.js';
import type { ProductKey, ProductKeyPayment, SlaBreach } from '../generated/prisma/client.js';
import { columnsOf } from '../kernel/rows.js';
import type { SqlTx, Tx } from '../kernel/transaction.js';
import { decimalOf } from '../slaDefinitions/measure.js';
import type { Penalty } from '../slaDefinitions/terms.js';
import { creditBreaches } from './creditBreaches.js';
import { sharesOf, type Share } from './slaShares.js';

type Owing = SlaBreach & { penalty: Penalty; creditedMinor: bigint };

/** Breaches with a penalty that overlap a period, and what each gave back in a currency. */
const statement = `SELECT ${columnsOf('SlaBreach', 'b')}, v.penalties -> b.penalty_index AS penalty,
    coalesce((SELECT sum(c.amount_minor) FROM sla_breach_credits c WHERE c.business_id = b.business_id AND c.mode = b.mode
      AND c.sla_breach_id = b.id AND c.currency = $6), 0)::bigint AS "creditedMinor"
  FROM sla_breaches b JOIN sla_definition_versions v
    ON v.business_id = b.business_id AND v.mode = b.mode AND v.id = b.sla_definition_version_id
  WHERE b.business_id = $1 AND b.mode = $2 AND b.product_key_id = $3 AND b.penalty_index IS NOT NULL
    AND b.starts_at < $5 AND b.ends_at > $4
  ORDER BY b.created_at, b.id`;

/**
 * A step: a payment for a locked product key that has just come in gives back what the breaches deserve of it that were recorded
 * before, the earliest first: as if it had been there, and no more than it is. In one entry of the ledger, and in as many
 * statements however many breaches there are. Call it last.
 * @throws Refusal BalanceLimitExceeded
 */
export async function settleBreaches(tx: Tx, key: ProductKey, payment: ProductKeyPayment): Promise<void> {
  const { id: paymentId, result, amountMinor, currency, periodStartsAt, periodEndsAt } = payment;
  if (result !== 'SUCCEEDED' || !amountMinor || currency === null) return;
  const values = [key.businessId, key.mode, key.id, periodStartsAt, periodEndsAt, currency];
  const owing = await tx.sql<Owing>('breaches_of_paid_period', statement, values);
  const shares = new Map<string, Share>();
  let creditedMinor = 0n;
  for (const breach of owing) {
    if (creditedMinor === amountMinor) break;
    const paid = { paymentId, currency, paidMinor: amountMinor, creditedMinor };
    const [share] = sharesOf(stillOwed(breach), [paid]);
    if (!share) continue;
    creditedMinor += share.amountMinor;
    shares.set(breach.id, share);
  }
  if (shares.size === 0) return;
  await recordCredits(tx, key, shares);
  await creditBreaches(
    tx,
    key,
    shares,
    `Product key ${key.number}: a payment was told for a time when its SLA was broken.`,
  );
}

/** A part of each payment, or what is left of an amount. */
function stillOwed({ penalty, creditedMinor }: Owing): Penalty {
  if (penalty.amountMinor === null) return penalty;
  return { ...penalty, amountMinor: (BigInt(penalty.amountMinor) - creditedMinor).toString() };
}

async function recordCredits(tx: SqlTx, key: ProductKey, shares: ReadonlyMap<string, Share>): Promise<void> {
  const breaches = await tx.sql<SlaBreach>(
    'credited_sla_breaches',
    `UPDATE sla_breaches SET version = version + 1 WHERE business_id = $1 AND mode = $2 AND id = ANY($3::uuid[])
      RETURNING ${columnsOf('SlaBreach')}`,
    [key.businessId, key.mode, [...shares.keys()]],
  );
  if (breaches.length !== shares.size) throw new Error('a breach of an SLA is gone');
  for (const breach of breaches) {
    const after = shares.get(breach.id) as Share;
    recordChange(tx, {
      type: 'sla.credited',
      objectType: 'SlaBreach',
      objectId: breach.id,
      sequence: breach.version,
      before: {},
      after,
      snapshot: { ...breach, measured: decimalOf(breach.measured), ...after },
    });
  }
}
