import type { UpdateProductKeyInput } from '../generated/graphql.js';
import type { ProductKey, ProductKeyMeter } from '../generated/prisma/client.js';
import { userError, type UserErrorData } from '../kernel/refusal.js';
import type { SqlTx } from '../kernel/transaction.js';
import { changeProductKey } from './changeProductKey.js';
import { byClock, noticeOf } from './life.js';
import { quotaPeriodAt } from './meter.js';
import { readMeter, readUnusedPayments } from './readTerms.js';

/**
 * What another start changes of a product key that has not begun: its trial, as long as it was, and the trial's notice. Null: the
 * start stays. Adds a problem when the key has begun, or would begin at or after its expiration.
 */
export function startChange(
  problems: UserErrorData[],
  key: ProductKey,
  { start, expiration }: UpdateProductKeyInput,
  now: Date,
): Pick<ProductKey, 'startsAt' | 'trialEndsAt' | 'trialNoticeAt'> | null {
  const { startsAt, trialEndsAt } = key;
  if (start == null || start.getTime() === startsAt.getTime()) return null;
  if (byClock(key, now) !== 'SCHEDULED') {
    const message = `The product key began at ${startsAt.toISOString()}: its start stays as it is. Leave it out.`;
    problems.push(userError('ProductKeyStarted', ['input', 'start'], message, { startedAt: startsAt }));
    return null;
  }
  if (expiration === undefined && key.expiresAt && start >= key.expiresAt) {
    const message = `Give an instant before the expiration, ${key.expiresAt.toISOString()}, or another expiration with it.`;
    problems.push(userError('InvalidInput', ['input', 'start'], message));
  }
  const later = start.getTime() - startsAt.getTime();
  const moved = { startsAt: start, trialEndsAt: trialEndsAt && new Date(trialEndsAt.getTime() + later) };
  return { ...moved, trialNoticeAt: key.notifyOnTrialExpiry ? noticeOf(moved) : null };
}

/** A step: adds a problem when a key would begin later than what was paid for it: that would be paid and not had. */
export async function checkPaidStart(
  tx: SqlTx,
  problems: UserErrorData[],
  key: ProductKey,
  { startsAt }: Pick<ProductKey, 'startsAt'>,
): Promise<void> {
  if (startsAt <= key.startsAt) return;
  const begins = (await readUnusedPayments(tx, key)).flatMap(({ periodStartsAt }) => periodStartsAt ?? []);
  const first = begins.sort((left, right) => left.getTime() - right.getTime())[0];
  if (!first || first >= startsAt) return;
  const message = `A payment came in for a period that begins at ${first.toISOString()}. Give no later instant than that.`;
  problems.push(userError('InvalidInput', ['input', 'start'], message));
}

/**
 * A step: what follows from a start that was moved: the quota's first period begins with it, of whose threshold nobody is told again;
 * the SLAs that the key was created with hold since then; and a key whose start has come is what the clock gives.
 * @returns the key as it then is, and its period
 */
export async function beginMoved(
  tx: SqlTx,
  key: ProductKey,
): Promise<{ key: ProductKey; period: Pick<ProductKeyMeter, 'periodStartsAt' | 'periodEndsAt'> }> {
  const { businessId, mode, id, startsAt } = key;
  const { now } = tx.ctx;
  const meter = await readMeter(tx, key);
  const { start, end } = quotaPeriodAt(meter, startsAt, now > startsAt ? now : startsAt);
  await tx.sql(
    'move_first_period',
    `UPDATE product_key_meters SET period_starts_at = $4, period_ends_at = $5,
        threshold_notified_period = CASE WHEN threshold_notified_period = period_starts_at THEN $4 ELSE threshold_notified_period END
      WHERE business_id = $1 AND mode = $2 AND id = $3`,
    [businessId, mode, id, start, end],
  );
  await tx.sql(
    'hold_slas_since_start',
    `UPDATE product_key_slas SET attached_at = $4
      WHERE business_id = $1 AND mode = $2 AND product_key_id = $3 AND attached_at = $5 AND attached_at > $4`,
    [businessId, mode, id, startsAt, key.createdAt],
  );
  const status = byClock(key, now);
  const period = { periodStartsAt: start, periodEndsAt: end };
  if (key.status !== 'SCHEDULED' || status === 'SCHEDULED') return { key, period };
  const type = status === 'TRIALING' ? 'product_key.trial_started' : 'product_key.activated';
  return { key: await changeProductKey(tx, key, { status }, { type, reason: null }), period };
}
