import type { CorrectUsageInput } from '../generated/graphql.js';
import type { ProductKey, ProductKeyMeter } from '../generated/prisma/client.js';
import { refusal, refuseIfAny, userError, type UserErrorData } from '../kernel/refusal.js';
import type { RequestContext } from '../kernel/requestContext.js';
import { checkLength } from '../kernel/text.js';
import { inSqlTransaction, type SqlTx } from '../kernel/transaction.js';
import { changeProductKey } from '../productKeys/changeProductKey.js';
import { lockProductKey } from '../productKeys/lockProductKey.js';
import { wordsAbout } from '../productKeys/wordsAbout.js';
import { addHours } from './addHours.js';
import { lockMeters } from '../productKeys/lockMeters.js';
import { MOST, occurrenceOf } from './usage.js';

/**
 * Takes back what was counted by mistake in the present period, of a key that has not ended: what is used never gets below zero.
 * The usage keys stay used.
 * @throws Refusal InvalidInput, ProductKeyNotFound, ModeMismatch, BrandMismatch, StaleObject, UsagePeriodClosed, UsageBelowZero
 */
export async function correctUsage(
  ctx: RequestContext,
  input: CorrectUsageInput,
): Promise<{ productKeyId: string; customerId: string }> {
  const reason = input.reason.trim();
  return inSqlTransaction(ctx, async (tx) => {
    refuseIfAny(problemsOf(ctx, input, reason));
    const key = await lockProductKey(tx, input);
    const meter = (await lockMeters(tx, [key])).get(key.id);
    if (!meter) throw new Error('a product key has no meter');
    refuseIfNotCounted(meter, input);
    await takeBack(tx, key, meter, -input.amount, input.occurredAt ?? null);
    const [before, after] = [meter.consumed, meter.consumed + input.amount].map((count) => ({
      consumedQuota: count.toString(),
    })) as [object, object];
    const words = await wordsAbout(tx, key, reason);
    await changeProductKey(
      tx,
      key,
      {},
      { type: 'product_key.usage_corrected', reason: words, aside: { before, after } },
    );
    return { productKeyId: key.id, customerId: key.customerId };
  });
}

function problemsOf({ now }: RequestContext, input: CorrectUsageInput, reason: string): UserErrorData[] {
  const problems: UserErrorData[] = [];
  if (input.amount >= 0n || input.amount < -MOST) {
    const message = `Give a negative number, such as -1; it is ${input.amount}. \`recordUsage\` counts more.`;
    problems.push(userError('InvalidInput', ['input', 'amount'], message));
  }
  if (input.occurredAt && input.occurredAt > now) {
    const message = 'Give an instant that is not in the future, or leave it out.';
    problems.push(userError('InvalidInput', ['input', 'occurredAt'], message));
  }
  checkLength(problems, ['input', 'reason'], reason, 1, 2000);
  return problems;
}

function refuseIfNotCounted(
  { consumed, periodStartsAt, closedAt }: ProductKeyMeter,
  { amount, occurredAt }: CorrectUsageInput,
): void {
  if (closedAt !== null) {
    const message = 'The product key has ended, and its last period is closed: what was used in it stays as it is.';
    throw refusal('UsagePeriodClosed', ['input', 'productKeyId'], message, { periodStart: periodStartsAt });
  }
  if (occurredAt && occurredAt < periodStartsAt) {
    const message = `The present period began at ${periodStartsAt.toISOString()}; what is before it stays as it is.`;
    throw refusal('UsagePeriodClosed', ['input', 'occurredAt'], message, { periodStart: periodStartsAt });
  }
  if (consumed + amount >= 0n) return;
  const message = `${consumed} was used in this period; no more can be taken back.`;
  throw refusal('UsageBelowZero', ['input', 'amount'], message, { consumed });
}

async function takeBack(tx: SqlTx, key: ProductKey, meter: ProductKeyMeter, corrected: bigint, givenAt: Date | null) {
  const { businessId, mode, id } = key;
  await tx.sql(
    'take_back_usage',
    `UPDATE product_key_meters SET consumed = consumed - $4::bigint WHERE business_id = $1 AND mode = $2 AND id = $3`,
    [businessId, mode, id, corrected],
  );
  const occurredAt = occurrenceOf(givenAt, meter, tx.ctx.now);
  await addHours(tx, [{ productKeyId: id, occurredAt, amount: 0n, corrected }]);
}
