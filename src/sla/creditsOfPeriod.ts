import type { SlaMetric } from '../generated/prisma/client.js';
import { tenantOf } from '../kernel/requestContext.js';
import type { SqlReader } from '../kernel/transaction.js';

/** What a breach of an SLA gave back in a currency. */
export interface SlaCreditRow {
  readonly productKeyId: string;
  readonly breachId: string;
  readonly metric: SlaMetric;
  readonly amountMinor: bigint;
  readonly currency: string;
  /** When the breach began. */
  readonly at: Date;
}

const statement = `SELECT b.product_key_id AS "productKeyId", b.id AS "breachId", b.metric, sum(c.amount_minor)::bigint AS "amountMinor",
    c.currency, b.starts_at AS at
  FROM sla_breaches b JOIN sla_breach_credits c ON c.business_id = b.business_id AND c.mode = b.mode AND c.sla_breach_id = b.id
  WHERE b.business_id = $1 AND b.mode = $2 AND b.product_key_id = ANY($3::uuid[]) AND b.starts_at >= $4 AND b.starts_at < $5
  GROUP BY b.product_key_id, b.id, b.metric, c.currency, b.starts_at
  ORDER BY b.product_key_id, b.starts_at, b.id, c.currency`;

/**
 * A step, one statement for all keys: what breaches of product keys gave back that began in [start, end); by key, in the order in
 * which they began. A breach begins in one period, so that the statements of all periods together have each credit once. The keys
 * must be visible to the caller.
 */
export async function creditsOfPeriod(
  reader: SqlReader,
  productKeyIds: readonly string[],
  { start, end }: { readonly start: Date; readonly end: Date },
): Promise<SlaCreditRow[]> {
  if (productKeyIds.length === 0) return [];
  const { businessId, mode } = tenantOf(reader.ctx);
  return reader.sql<SlaCreditRow>('sla_credits_of_period', statement, [businessId, mode, productKeyIds, start, end]);
}
