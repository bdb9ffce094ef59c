import { recordChange } from '../events/recordChange.js';
import type { ProductKey, ProductKeyMeter } from '../generated/prisma/client.js';
import { tenantOf } from '../kernel/requestContext.js';
import { columnsOf } from '../kernel/rows.js';
import type { SqlTx } from '../kernel/transaction.js';
import { carryOutDue } from './carryOutDue.js';
import { queueNotice } from './notices.js';
import { percentOf } from './meter.js';

interface Exceeded {
  readonly key: ProductKey;
  /** As it is now, beyond its threshold. */
  readonly meter: ProductKeyMeter;
}

const versionText = `UPDATE product_keys SET version = version + 1, updated_at = $3
  WHERE business_id = $1 AND mode = $2 AND id = ANY($4::uuid[]) RETURNING ${columnsOf('ProductKey')}`;

const addressesText = `SELECT k.id, c.email AS owner, ARRAY(SELECT a.address FROM product_key_addresses a
      WHERE a.business_id = $1 AND a.mode = $2 AND a.product_key_id = k.id AND a.use = 'QUOTA_NOTICE' ORDER BY a.position) AS others
  FROM product_keys k JOIN customers c ON c.business_id = k.business_id AND c.mode = k.mode AND c.id = k.customer_id
  WHERE k.business_id = $1 AND k.mode = $2 AND k.id = ANY($3::uuid[])`;

/**
 * A step: tells that quotas' thresholds are exceeded, of locked product keys: each as an event, and as mails to the owner, where it
 * shall be told, and to the further addresses, each once. Two statements however many there are; what is due of a key by itself is
 * written before.
 */
export async function noticeThresholds(tx: SqlTx, exceeded: readonly Exceeded[]): Promise<void> {
  if (exceeded.length === 0) return;
  const { businessId, mode } = tenantOf(tx.ctx);
  for (const { key } of exceeded) await carryOutDue(tx, key);
  const ids = exceeded.map(({ key }) => key.id);
  const rows = await tx.sql<ProductKey>('note_thresholds', versionText, [businessId, mode, tx.ctx.now, ids]);
  const meters = new Map(exceeded.map(({ meter }) => [meter.id, meter]));
  for (const row of rows) recordExceeded(tx, row, meters.get(row.id) as ProductKeyMeter);
  const addresses = await tx.sql<{ id: string; owner: string | null; others: string[] }>(
    'addresses_of_quota_notices',
    addressesText,
    [businessId, mode, ids],
  );
  const byId = new Map(addresses.map((one) => [one.id, one]));
  for (const row of rows) {
    const { owner = null, others = [] } = byId.get(row.id) ?? {};
    const isTold = row.notifyOwnerOnQuotaThreshold;
    if (isTold) queueNotice(tx, row, 'product-key-quota-threshold', owner);
    for (const address of others.filter((one) => !isTold || one.toLowerCase() !== owner?.toLowerCase())) {
      queueNotice(tx, row, 'product-key-quota-threshold', address);
    }
  }
}

function recordExceeded(tx: SqlTx, row: ProductKey, meter: ProductKeyMeter): void {
  const { consumed, quota, threshold, periodStartsAt, periodEndsAt } = meter;
  const state = {
    consumedQuota: consumed.toString(),
    quota: quota?.toString() ?? null,
    quotaNotificationThreshold: threshold === null ? null : percentOf(threshold),
    quotaPeriodStart: periodStartsAt,
    quotaPeriodEnd: periodEndsAt,
  };
  recordChange(tx, {
    type: 'product_key.quota_threshold_exceeded',
    objectType: 'ProductKey',
    objectId: row.id,
    sequence: row.version,
    after: state,
    snapshot: { ...row, ...state },
  });
}
