import { tenantOf } from '../kernel/requestContext.js';
import type { SqlTx } from '../kernel/transaction.js';

/** What was used at an instant, or taken back of it. */
export interface HourlyUse {
  readonly productKeyId: string;
  readonly occurredAt: Date;
  readonly amount: bigint;
  readonly corrected: bigint;
}

const statement = `INSERT INTO product_key_usage_hours AS h (business_id, mode, product_key_id, hour, amount, corrected, calls)
  SELECT $1, $2, a.id, date_trunc('hour', a.at, 'UTC'), sum(a.amount)::bigint, sum(a.corrected)::bigint,
    count(*) FILTER (WHERE a.amount > 0)
  FROM unnest($3::uuid[], $4::timestamptz[], $5::bigint[], $6::bigint[]) AS a (id, at, amount, corrected) GROUP BY 3, 4 ORDER BY 3, 4
  ON CONFLICT (business_id, mode, product_key_id, hour) DO UPDATE SET amount = h.amount + excluded.amount,
    corrected = h.corrected + excluded.corrected, calls = h.calls + excluded.calls`;

/** A step, one statement: adds uses of product keys, whose meters are locked, to the hours that they fall into. */
export async function addHours(tx: SqlTx, uses: readonly HourlyUse[]): Promise<void> {
  const { businessId, mode } = tenantOf(tx.ctx);
  await tx.sql('add_usage_hours', statement, [
    businessId,
    mode,
    uses.map(({ productKeyId }) => productKeyId),
    uses.map(({ occurredAt }) => occurredAt),
    uses.map(({ amount }) => amount),
    uses.map(({ corrected }) => corrected),
  ]);
}
