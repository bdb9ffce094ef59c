import { Prisma } from '../generated/prisma/client.js';
import type { ProductKey, ProductKeyMeter, ProductKeyUsage } from '../generated/prisma/client.js';
import { userError } from '../kernel/refusal.js';
import { tenantViewer } from '../kernel/requestContext.js';
import { columnName } from '../kernel/rows.js';
import type { SqlTx } from '../kernel/transaction.js';
import { statusOf } from '../productKeys/life.js';
import { addHours } from './addHours.js';
import { findNamedKeys, type NamedKey } from './findNamedKeys.js';
import { lockMeters } from '../productKeys/lockMeters.js';
import { isThresholdDue } from '../productKeys/meter.js';
import { noticeThresholds } from '../productKeys/noticeThresholds.js';
import { isSameUsage, occurrenceOf, receiptOf, usageProblem } from './usage.js';
import type { UsageReceipt, UsageRow } from './usage.js';

/** A use that was counted, now or before. */
export interface Outcome {
  readonly usage: UsageReceipt;
  readonly isReplayed: boolean;
}

/** The usage key was used for something else. */
export const usageKeyTaken =
  'The usage key was used for another amount or instant of this product key. Use a new key for each use.';

/**
 * A step, at most a dozen statements however many rows there are: counts uses in their order, each all or nothing. Why a row was
 * not counted becomes its problem: InvalidInput, ProductKeyNotFound, ModeMismatch, BrandMismatch, ProductKeyReplaced,
 * ProductKeyNotUsable, UsagePeriodClosed, QuotaExceeded, UsageKeyTaken. Notices of thresholds go out with it.
 * @returns what was counted of each row; null: it was refused
 */
export async function countUsages(tx: SqlTx, rows: readonly UsageRow[]): Promise<(Outcome | null)[]> {
  const named = await findNamedKeys(tx, rows);
  const keys = new Map([...named.values()].map(({ key }) => [key.id, key]));
  const meters = await lockMeters(tx, [...keys.values()]);
  const counted = await readCounted(tx, rows, named, meters);
  const touched = new Set<string>();
  const usages: ProductKeyUsage[] = [];
  const outcomes = rows.map((row) => {
    const found = named.get(row);
    const meter = found && meters.get(found.key.id);
    if (!found || !meter) return null;
    const prior = row.keyHash && counted.get(usageId(found.key.id, row.keyHash));
    if (prior && !found.isOfOtherBrand) {
      if (isSameUsage(prior, row)) return { usage: receiptOf(prior), isReplayed: true };
      row.problems.push(userError('UsageKeyTaken', [...row.path, 'idempotencyKey'], usageKeyTaken));
      return null;
    }
    const usage = countOne(tx, row, found, meter);
    if (!usage) return null;
    touched.add(meter.id);
    usages.push(usage);
    if (row.keyHash) counted.set(usageId(meter.id, row.keyHash), usage);
    return { usage: receiptOf(usage), isReplayed: false };
  });
  const noticed = [...touched].filter((id) => isThresholdDue(meters.get(id) as ProductKeyMeter));
  for (const id of noticed) meters.get(id)!.thresholdNotifiedPeriod = meters.get(id)!.periodStartsAt;
  await write(
    tx,
    usages,
    [...touched].map((id) => meters.get(id) as ProductKeyMeter),
  );
  await noticeThresholds(
    tx,
    noticed.map((id) => ({ key: keys.get(id) as ProductKey, meter: meters.get(id) as ProductKeyMeter })),
  );
  return outcomes;
}

/** Counts one row on its locked meter, or adds the problem why not. */
function countOne(
  { ctx: { now } }: SqlTx,
  row: UsageRow,
  found: NamedKey,
  meter: ProductKeyMeter,
): ProductKeyUsage | null {
  const { replacedUntil, isOfOtherBrand, key } = found;
  const facts = { status: statusOf(key, now), replacedUntil, isOfOtherBrand, meter };
  const problem = usageProblem(facts, row, now);
  if (problem) {
    row.problems.push(problem);
    return null;
  }
  meter.consumed += row.amount;
  const { businessId, mode, id, periodStartsAt, periodEndsAt, consumed, quota } = meter;
  const occurredAt = occurrenceOf(row.givenAt, meter, now);
  const { amount, givenAt, keyHash } = row;
  const period = { periodStartsAt, periodEndsAt };
  const usage = { businessId, mode, productKeyId: id, ...period, amount, givenAt, occurredAt, consumed, quota };
  return { ...usage, keyHash: new Uint8Array(keyHash ?? []), createdAt: now };
}

function usageId(productKeyId: string, keyHash: Uint8Array): string {
  return `${productKeyId} ${Buffer.from(keyHash).toString('hex')}`;
}

const columns = Object.keys(Prisma.ProductKeyUsageScalarFieldEnum).map(
  (field) => `u.${columnName(field)} AS "${field}"`,
);

/** Row by row through the primary key: a plan that was made while the table was small must not read all of it when it has grown. */
const countedText = `SELECT u.* FROM unnest($3::uuid[], $4::timestamptz[], $5::bytea[]) AS a (id, period, hash)
  CROSS JOIN LATERAL (SELECT ${columns.join(', ')} FROM product_key_usages u
    WHERE u.business_id = $1 AND u.mode = $2 AND u.product_key_id = a.id AND u.period_starts_at = a.period AND u.key_hash = a.hash
    LIMIT 1) u`;

/** What the rows' usage keys counted in the present periods already. */
async function readCounted(
  tx: SqlTx,
  rows: readonly UsageRow[],
  named: ReadonlyMap<UsageRow, NamedKey>,
  meters: ReadonlyMap<string, ProductKeyMeter>,
): Promise<Map<string, ProductKeyUsage>> {
  const asked = rows.flatMap((row) => {
    const meter = row.keyHash && meters.get(named.get(row)?.key.id ?? '');
    return meter ? [{ id: meter.id, period: meter.periodStartsAt, hash: row.keyHash }] : [];
  });
  if (asked.length === 0) return new Map();
  const { businessId, mode } = tenantViewer(tx.ctx);
  const lists = [asked.map(({ id }) => id), asked.map(({ period }) => period), asked.map(({ hash }) => hash)];
  const found = await tx.sql<ProductKeyUsage>('counted_usages', countedText, [businessId, mode, ...lists]);
  return new Map(found.map((usage) => [usageId(usage.productKeyId, usage.keyHash), usage]));
}

const metersText = `UPDATE product_key_meters m SET consumed = a.consumed, threshold_notified_period = a.notified
  FROM unnest($3::uuid[], $4::bigint[], $5::timestamptz[]) AS a (id, consumed, notified)
  WHERE m.business_id = $1 AND m.mode = $2 AND m.id = a.id`;

async function write(tx: SqlTx, usages: readonly ProductKeyUsage[], meters: readonly ProductKeyMeter[]): Promise<void> {
  if (meters.length === 0) return;
  const { businessId, mode } = tenantViewer(tx.ctx);
  await tx.sql('write_meters', metersText, [
    businessId,
    mode,
    meters.map(({ id }) => id),
    meters.map(({ consumed }) => consumed),
    meters.map(({ thresholdNotifiedPeriod }) => thresholdNotifiedPeriod),
  ]);
  tx.insert('product_key_usages', ...(usages.filter(({ keyHash }) => keyHash.length > 0) as never[]));
  await addHours(
    tx,
    usages.map(({ productKeyId, occurredAt, amount }) => ({ productKeyId, occurredAt, amount, corrected: 0n })),
  );
}
