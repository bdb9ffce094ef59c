import { recordChange } from '../events/recordChange.js';
import type { ProductKey, ProductKeyStatement } from '../generated/prisma/client.js';
import { asServer } from '../kernel/asServer.js';
import { newId } from '../kernel/id.js';
import { tenantOf } from '../kernel/requestContext.js';
import { columnsOf } from '../kernel/rows.js';
import type { SqlTx } from '../kernel/transaction.js';
import { priceUsage } from '../pricing/priceUsage.js';
import { chargesBefore, readCharges, type KeyCharges } from '../pricing/readCharges.js';
import { timeOf, type OverPeriod } from './periodsOver.js';

/** A locked product key with periods that are over, the oldest first. */
export interface ClosingKey {
  readonly key: ProductKey;
  readonly over: readonly OverPeriod[];
}

const versionText = `UPDATE product_keys k SET version = k.version + a.count, updated_at = $3
  FROM unnest($4::uuid[], $5::int[]) AS a (id, count)
  WHERE k.business_id = $1 AND k.mode = $2 AND k.id = a.id RETURNING ${columnsOf('ProductKey', 'k')}`;

/**
 * A step, a handful of statements however many there are: writes the statement of each period that is over, of locked product keys
 * whose meters are locked, and records `product_key.period_closed` for each, by the server.
 */
export async function closePeriods(tx: SqlTx, closing: readonly ClosingKey[]): Promise<void> {
  if (closing.length === 0) return;
  const { businessId, mode } = tenantOf(tx.ctx);
  const ids = closing.map(({ key }) => key.id);
  const charges = await readCharges(tx, ids, earliestEnd(closing));
  const counts = closing.map(({ over }) => over.length);
  const values = [businessId, mode, tx.ctx.now, ids, counts];
  const rows = await tx.sql<ProductKey>('note_closed_periods', versionText, values);
  const byId = new Map(rows.map((row) => [row.id, row]));
  for (const { key, over } of closing) {
    const row = byId.get(key.id) as ProductKey;
    over.forEach((period, i) => {
      const statement = statementOf(tx, row, period, charges.get(key.id) as KeyCharges);
      tx.insert('product_key_statements', statement as never);
      recordClosed(tx, { ...row, version: row.version - over.length + i + 1 }, statement);
    });
  }
}

function earliestEnd(closing: readonly ClosingKey[]): Date {
  return new Date(Math.min(...closing.flatMap(({ over }) => over.map(({ endsAt }) => endsAt.getTime()))));
}

function statementOf(
  tx: SqlTx,
  key: ProductKey,
  { meter, endsAt }: OverPeriod,
  charges: KeyCharges,
): ProductKeyStatement {
  const { businessId, mode, id: productKeyId, customerId } = key;
  const { periodStartsAt: startsAt, consumed, quota, overQuota } = meter;
  const { rules, discounts } = chargesBefore(charges, endsAt);
  const priced = priceUsage({ consumed, quota }, timeOf(key, meter, endsAt), rules, discounts);
  return {
    ...{ businessId, mode, id: newId(), productKeyId, customerId, startsAt, endsAt, consumed, quota, overQuota },
    currency: priced.currency,
    lines: priced.lines as never,
    discounts: priced.discounts as never,
    subtotalMinor: priced.subtotalMinor.toString(),
    discountMinor: priced.discountMinor.toString(),
    totalMinor: priced.totalMinor.toString(),
    closedAt: tx.ctx.now,
  };
}

function recordClosed(tx: SqlTx, key: ProductKey, statement: ProductKeyStatement): void {
  const {
    id: statementId,
    startsAt: periodStart,
    endsAt: periodEnd,
    consumed,
    quota,
    currency,
    totalMinor,
  } = statement;
  const usage = { usage: consumed.toString(), quota: quota?.toString() ?? null };
  const after = { statementId, periodStart, periodEnd, ...usage, currency, totalMinor };
  recordChange(asServer(tx, tx.ctx.now), {
    type: 'product_key.period_closed',
    objectType: 'ProductKey',
    objectId: key.id,
    sequence: key.version,
    after,
    snapshot: { ...key, ...after },
  });
}
