import type { RecordUsageInput } from '../generated/graphql.js';
import type { ProductKeyMeter, ProductKeyStatus } from '../generated/prisma/client.js';
import { ClientError } from '../kernel/clientError.js';
import { violatedConstraint } from '../kernel/databaseError.js';
import { IdempotentReplay } from '../kernel/idempotency.js';
import { Refusal, refuseIfAny } from '../kernel/refusal.js';
import { tenantOf, tenantViewer, type RequestContext } from '../kernel/requestContext.js';
import { inOneStatement, inSqlTransaction } from '../kernel/transaction.js';
import { keyHmacs } from '../licenseKeys/keyHmacs.js';
import { countById, countByText } from './countStatement.js';
import { countUsages, usageKeyTaken, type Outcome } from './countUsages.js';
import { isSameUsage, receiptOf, usageKeyHash, usageProblem, usageRow } from './usage.js';
import type { UsageReceipt, UsageRow } from './usage.js';

/** What the statement found: the key and its meter as they were before, what it counted, and what the usage key counted before. */
interface CountRow extends ProductKeyMeter {
  status: ProductKeyStatus;
  replacedUntil: Date | null;
  brandId: string;
  countedConsumed: bigint | null;
  countedQuota: bigint | null;
  countedAt: Date;
  countedFrom: Date;
  countedTo: Date | null;
  priorAmount: bigint | null;
  priorGivenAt: Date | null;
  priorAt: Date;
  priorConsumed: bigint;
  priorQuota: bigint | null;
}

/**
 * Counts a use of a product key: one statement, which is the transaction. Only what begins a period of the quota, exceeds its
 * threshold, or raced with another call takes a transaction of several. The usage key takes the place of the general idempotency
 * record and lives until the period is over.
 * @throws Refusal InvalidInput, ProductKeyNotFound, ModeMismatch, BrandMismatch, ProductKeyReplaced, ProductKeyNotUsable,
 *   UsagePeriodClosed, QuotaExceeded
 * @throws IdempotentReplay when the same use was counted before under its usage key
 * @throws ClientError IDEMPOTENCY_CONFLICT when another one was
 */
export async function recordUsage(ctx: RequestContext, input: RecordUsageInput): Promise<{ usage: UsageReceipt }> {
  const given = usageRow({ ...input, idempotencyKey: null }, ['input'], ctx.now);
  refuseIfAny(given.problems);
  const row = { ...given, keyHash: ctx.idempotency && usageKeyHash(ctx.idempotency.key) };
  const outcome = (await countedAtOnce(ctx, row)) ?? (await countedInTransaction(ctx, row));
  if (outcome.isReplayed) throw new IdempotentReplay({ usage: outcome.usage });
  return { usage: outcome.usage };
}

/** By the one statement; null: it takes a transaction. */
async function countedAtOnce(ctx: RequestContext, row: UsageRow): Promise<Outcome | null> {
  const found = await count(ctx, row);
  if (!found) return null;
  const { id: productKeyId, periodStartsAt, periodEndsAt } = found;
  if (found.countedConsumed !== null) {
    const { countedConsumed: consumed, countedQuota: quota, countedAt: occurredAt } = found;
    const period = { periodStartsAt: found.countedFrom, periodEndsAt: found.countedTo };
    const usage = receiptOf({ productKeyId, amount: row.amount, occurredAt, consumed, quota, ...period });
    return { usage, isReplayed: false };
  }
  // A usage key of a period that is over is forgotten, and of another brand nothing is told.
  const { brandId } = tenantViewer(ctx);
  const facts = { ...found, isOfOtherBrand: brandId !== null && brandId !== found.brandId, meter: found };
  if (facts.isOfOtherBrand || (periodEndsAt !== null && periodEndsAt <= ctx.now)) return null;
  if (found.priorAmount !== null) {
    const { priorConsumed: consumed, priorQuota: quota, priorAt: occurredAt } = found;
    if (!isSameUsage({ amount: found.priorAmount, givenAt: found.priorGivenAt }, row)) throw usageConflict();
    const usage = { productKeyId, amount: row.amount, occurredAt, consumed, quota, periodStartsAt, periodEndsAt };
    return { usage: receiptOf(usage), isReplayed: true };
  }
  const problem = usageProblem(facts, row, ctx.now);
  if (problem) throw new Refusal([problem]);
  return null;
}

function usageConflict(): ClientError {
  return new ClientError('IDEMPOTENCY_CONFLICT', usageKeyTaken);
}

/** Undefined: there is no such key, or another call under the same usage key was quicker. */
async function count(ctx: RequestContext, { key, productKeyId, ...row }: UsageRow): Promise<CountRow | undefined> {
  const { businessId, mode, brandId } = tenantViewer(ctx);
  const named = key === null ? productKeyId : keyHmacs(ctx.keyring, tenantOf(ctx), key).map(({ keyHmac }) => keyHmac);
  const values = [businessId, mode, named, ctx.now, row.amount, row.givenAt, row.keyHash, brandId];
  const [name, text] = key === null ? ['record_usage_by_id', countById] : ['record_usage_by_text', countByText];
  try {
    return (await inOneStatement<CountRow>(ctx, name, text, values))[0];
  } catch (error) {
    if (violatedConstraint(error) === 'product_key_usages_pkey') return undefined;
    throw error;
  }
}

async function countedInTransaction(ctx: RequestContext, row: UsageRow): Promise<Outcome> {
  // The usage key stands in place of the record that a transaction would keep.
  const [outcome] = await inSqlTransaction({ ...ctx, idempotency: null }, async (tx) => {
    const outcomes = await countUsages(tx, [row]);
    if (row.problems.some(({ __typename }) => __typename === 'UsageKeyTaken')) throw usageConflict();
    refuseIfAny(row.problems);
    return outcomes;
  });
  if (!outcome) throw new Error('a use was neither counted nor refused');
  return outcome;
}
