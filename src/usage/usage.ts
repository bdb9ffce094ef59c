import { createHash } from 'node:crypto';
import type { ProductKeyMeter, ProductKeyStatus, ProductKeyUsage } from '../generated/prisma/client.js';
import { uuidOf } from '../kernel/id.js';
import { userError, type UserErrorData } from '../kernel/refusal.js';
import { checkLength } from '../kernel/text.js';
import { remainingOf, WHOLE } from '../productKeys/meter.js';

type Path = readonly (string | number)[];

/** A use as the caller gave it, with what is wrong with it in itself. */
export interface UsageRow {
  readonly path: Path;
  /** The key's text; null: it is named by its id. */
  readonly key: string | null;
  readonly productKeyId: string | null;
  readonly amount: bigint;
  /** When it happened, as the caller said; null: it did not say. */
  readonly givenAt: Date | null;
  /** SHA-256 of the usage key; null: there is none. */
  readonly keyHash: Buffer | null;
  readonly problems: UserErrorData[];
}

/** A use that was counted: ids and texts only, as it is also kept with an idempotency key. Counts are decimal, instants ISO. */
export interface UsageReceipt {
  readonly productKeyId: string;
  readonly amount: string;
  readonly occurredAt: string;
  readonly consumed: string;
  readonly quota: string | null;
  readonly periodStartsAt: string;
  readonly periodEndsAt: string | null;
}

/** What decides about a use of a product key that was found. */
export interface UsageFacts {
  readonly status: ProductKeyStatus;
  /** Until when the text works that was given; null: it is the present one. */
  readonly replacedUntil: Date | null;
  /** Its brand is another one than `Brand-URL` names. */
  readonly isOfOtherBrand: boolean;
  readonly meter: ProductKeyMeter;
}

/** PostgreSQL's largest bigint. */
export const MOST = 2n ** 63n - 1n;
/** How far clocks of callers may be ahead. */
const AHEAD_MS = 300_000;

/** Where the input names the product key. */
export function keyPath({ path, key }: Pick<UsageRow, 'path' | 'key'>): string[] {
  return [...path, key === null ? 'productKeyId' : 'key'].map(String);
}

/** How a usage key is kept: it may be made of a person's name or address, so never as it was given. */
export function usageKeyHash(key: string): Buffer {
  return createHash('sha256').update(key, 'utf8').digest();
}

/** Reads a use; all that is wrong with it that needs no I/O becomes its problems. */
export function usageRow(
  given: {
    key?: string | null;
    productKeyId?: string | null;
    amount: bigint;
    occurredAt?: Date | null;
    idempotencyKey?: string | null;
  },
  path: Path,
  now: Date,
): UsageRow {
  const problems: UserErrorData[] = [];
  const { amount, idempotencyKey } = given;
  const [key, id, givenAt] = [given.key ?? null, given.productKeyId ?? null, given.occurredAt ?? null];
  if ((key === null) === (id === null)) {
    problems.push(userError('InvalidInput', path, 'Give `key` or `productKeyId`, exactly one of them.'));
  }
  if (amount < 1n || amount > MOST) {
    const message = `Give 1 to ${MOST}; it is ${amount}. \`correctUsage\` takes back what was counted by mistake.`;
    problems.push(userError('InvalidInput', [...path, 'amount'], message));
  }
  if (givenAt && givenAt.getTime() > now.getTime() + AHEAD_MS) {
    problems.push(userError('InvalidInput', [...path, 'occurredAt'], 'Give an instant that is not in the future.'));
  }
  checkLength(problems, [...path, 'idempotencyKey'], idempotencyKey, 1, 256);
  const productKeyId = id === null ? null : uuidOf('ProductKey', id);
  const keyHash = idempotencyKey == null ? null : usageKeyHash(idempotencyKey);
  return { path, key, productKeyId, amount, givenAt, keyHash, problems };
}

/** When a use counts as having happened: never ahead of the server's clock, never before the period that counts it. */
export function occurrenceOf(givenAt: Date | null, { periodStartsAt }: ProductKeyMeter, now: Date): Date {
  const at = givenAt !== null && givenAt < now ? givenAt : now;
  return at > periodStartsAt ? at : periodStartsAt;
}

/**
 * Why a use is not counted; null: it is. The statement of `countStatement` counts by the same rules.
 * @param facts the meter in its present period
 */
export function usageProblem(facts: UsageFacts, row: UsageRow, now: Date): UserErrorData | null {
  return keyProblem(facts, row, now) ?? meterProblem(facts.meter, row);
}

/** What is wrong with the key that was named, whatever its meter says. */
function keyProblem(facts: Omit<UsageFacts, 'meter'>, row: UsageRow, now: Date): UserErrorData | null {
  const { status, replacedUntil, isOfOtherBrand } = facts;
  const path = keyPath(row);
  if (isOfOtherBrand) {
    const message = 'This belongs to another brand. Use objects of one brand, and its URL in `Brand-URL`.';
    return userError('BrandMismatch', path, message);
  }
  if (replacedUntil && replacedUntil <= now) {
    const message = 'The key was replaced by another one. Use the new key.';
    return userError('ProductKeyReplaced', path, message, { graceUntil: replacedUntil });
  }
  if (status !== 'ACTIVE' && status !== 'TRIALING') {
    const message = `The product key is ${status}: nothing can be used by it.`;
    return userError('ProductKeyNotUsable', path, message, { status });
  }
  return null;
}

function meterProblem(meter: ProductKeyMeter, { path, amount, givenAt }: UsageRow): UserErrorData | null {
  const { quota, consumed, overQuota, periodStartsAt, periodEndsAt } = meter;
  if (givenAt && givenAt < periodStartsAt) {
    const message = `The present period began at ${periodStartsAt.toISOString()}; what happened before is counted no more.`;
    return userError('UsagePeriodClosed', [...path, 'occurredAt'], message, { periodStart: periodStartsAt });
  }
  if (overQuota === 'BLOCK' && quota !== null && consumed + amount > quota) {
    const remaining = remainingOf(meter) ?? 0n;
    const message = `${remaining} of the quota is left in this period, and ${amount} was asked for. Nothing was counted.`;
    return userError('QuotaExceeded', [...path, 'amount'], message, { remaining, periodEnd: periodEndsAt });
  }
  if (consumed + amount > MOST) {
    return userError('InvalidInput', [...path, 'amount'], `No more than ${MOST} can be counted in a period.`);
  }
  return null;
}

/** `isThresholdDue` as SQL, of the meter `m` with an amount more. */
export function thresholdDue(amount: string): string {
  return `(m.threshold_notified_period IS DISTINCT FROM m.period_starts_at
    AND ((m.consumed::numeric + ${amount}) * ${WHOLE} > m.quota * m.threshold::numeric) IS TRUE)`;
}

/** What is told of a use that was counted. */
export function receiptOf(
  usage: Pick<ProductKeyUsage, 'productKeyId' | 'amount' | 'occurredAt' | 'consumed' | 'quota'> &
    Pick<ProductKeyMeter, 'periodStartsAt' | 'periodEndsAt'>,
): UsageReceipt {
  return {
    productKeyId: usage.productKeyId,
    amount: usage.amount.toString(),
    occurredAt: usage.occurredAt.toISOString(),
    consumed: usage.consumed.toString(),
    quota: usage.quota?.toString() ?? null,
    periodStartsAt: usage.periodStartsAt.toISOString(),
    periodEndsAt: usage.periodEndsAt?.toISOString() ?? null,
  };
}

/** Whether a use that was counted under a usage key is the same as one that is given under it now. */
export function isSameUsage(
  counted: Pick<ProductKeyUsage, 'amount' | 'givenAt'>,
  { amount, givenAt }: Pick<UsageRow, 'amount' | 'givenAt'>,
): boolean {
  return counted.amount === amount && counted.givenAt?.getTime() === givenAt?.getTime();
}
