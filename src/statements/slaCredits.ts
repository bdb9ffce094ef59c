import DataLoader from 'dataloader';
import type { ProductKeyStatement, SlaMetric } from '../generated/prisma/client.js';
import { tenantOf, type RequestContext } from '../kernel/requestContext.js';

/** What was credited for a breach of an SLA. */
export interface SlaCredit {
  readonly metric: SlaMetric;
  readonly slaBreachId: string;
  readonly amountMinor: bigint;
  readonly currency: string;
  /** When. */
  readonly at: Date;
}

type Period = Pick<ProductKeyStatement, 'id' | 'productKeyId' | 'startsAt' | 'endsAt'>;

const statement = `SELECT p.id, b.metric, b.id AS "slaBreachId", sum(c.amount_minor)::bigint AS "amountMinor", c.currency, c.created_at AS at
  FROM unnest($3::uuid[], $4::uuid[], $5::timestamptz[], $6::timestamptz[]) AS p (id, product_key_id, starts_at, ends_at)
  JOIN sla_breaches b ON b.business_id = $1 AND b.mode = $2 AND b.product_key_id = p.product_key_id
  JOIN sla_breach_credits c ON c.business_id = b.business_id AND c.mode = b.mode AND c.sla_breach_id = b.id
  WHERE c.created_at >= p.starts_at AND c.created_at < p.ends_at
  GROUP BY p.id, b.metric, b.id, c.currency, c.created_at ORDER BY c.created_at, b.id, c.currency`;

/**
 * What was credited for breaches within statements' periods, in the order in which it was: one statement for all. It is read by the
 * time of the credit, whenever the breach was: a credit is told once, and what a statement tells stays so.
 */
export function slaCreditsByStatement(ctx: RequestContext): DataLoader<Period, SlaCredit[], string> {
  return new DataLoader(
    async (periods) => {
      const { businessId, mode } = tenantOf(ctx);
      const rows = await ctx.db.sql<SlaCredit & { id: string }>('sla_credits_by_statement', statement, [
        businessId,
        mode,
        periods.map(({ id }) => id),
        periods.map(({ productKeyId }) => productKeyId),
        periods.map(({ startsAt }) => startsAt),
        periods.map(({ endsAt }) => endsAt),
      ]);
      const found = new Map<string, SlaCredit[]>(periods.map(({ id }) => [id, []]));
      for (const { id, ...credit } of rows) found.get(id)?.push(credit);
      return periods.map(({ id }) => found.get(id) ?? []);
    },
    { cacheKeyFn: ({ id }) => id },
  );
}
