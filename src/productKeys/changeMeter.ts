import type { UpdateProductKeyInput } from '../generated/graphql.js';
import type { ProductKey, ProductKeyMeter } from '../generated/prisma/client.js';
import { changedFields } from '../kernel/changedFields.js';
import type { SqlTx } from '../kernel/transaction.js';
import { lockMeters } from './lockMeters.js';
import { isThresholdDue, percentOf, thousandthsOf } from './meter.js';

/** What of something beside the key's row changed, as the history tells it; null: nothing did. */
export type Aside = { before: object; after: object } | null;

/** What a change did to a meter. */
export interface ChangedMeter {
  readonly aside: Aside;
  /** Beyond its threshold, which nobody was told in this period: `noticeThresholds` is to tell it. Null: it is not. */
  readonly exceeded: ProductKeyMeter | null;
}

/**
 * A step: changes the quota of a locked product key, what happens beyond it, and its threshold. What was used stays, and may be beyond
 * the threshold now. Null: nothing changed.
 */
export async function changeMeter(
  tx: SqlTx,
  key: ProductKey,
  { quota, overQuota, quotaNotificationThreshold: percent }: UpdateProductKeyInput,
): Promise<ChangedMeter | null> {
  if (quota === undefined && overQuota == null && percent === undefined) return null;
  const { businessId, mode, id } = key;
  // A period that is over is closed first, so that it keeps the quota that it had.
  const meter = (await lockMeters(tx, [key])).get(id) as ProductKeyMeter;
  const next = {
    quota: quota === undefined ? meter.quota : quota,
    overQuota: overQuota ?? meter.overQuota,
    threshold: percent === undefined ? meter.threshold : percent === null ? null : thousandthsOf(percent),
  };
  const changed = changedFields<ProductKeyMeter>(meter, next);
  if (!changed) return null;
  const isExceeded = isThresholdDue({ ...meter, ...next });
  const notified = isExceeded ? meter.periodStartsAt : meter.thresholdNotifiedPeriod;
  await tx.sql(
    'change_meter',
    `UPDATE product_key_meters SET quota = $4, over_quota = $5, threshold = $6, threshold_notified_period = $7
      WHERE business_id = $1 AND mode = $2 AND id = $3`,
    [businessId, mode, id, next.quota, next.overQuota, next.threshold, notified],
  );
  const aside = { before: asTold(changed.before), after: asTold(changed.after) };
  return { aside, exceeded: isExceeded ? { ...meter, ...next } : null };
}

/** As callers know it: the threshold in percent. */
function asTold({ threshold, ...rest }: Partial<ProductKeyMeter>): object {
  if (threshold === undefined) return rest;
  return { ...rest, quotaNotificationThreshold: threshold === null ? null : percentOf(threshold) };
}
