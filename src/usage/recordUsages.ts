import type { RecordUsagesInput } from '../generated/graphql.js';
import { Refusal, refusal, type UserErrorData } from '../kernel/refusal.js';
import type { RequestContext } from '../kernel/requestContext.js';
import { inSqlTransaction } from '../kernel/transaction.js';
import { countUsages } from './countUsages.js';
import { usageRow, type UsageReceipt } from './usage.js';

/** What became of a row; `usage` is null when it was refused. */
export interface UsageRowResult {
  readonly index: number;
  readonly usage: UsageReceipt | null;
  readonly replayed: boolean;
  readonly userErrors: readonly UserErrorData[];
}

/**
 * Counts many uses, a dozen statements for all rows, in one transaction: rows of one key in their order, each all or nothing.
 * @throws Refusal InvalidInput without rows; with ALL_OR_NOTHING what is wrong with all rows: as `recordUsage` refuses them, and
 *   UsageKeyTaken when a row's usage key was used for another use
 */
export async function recordUsages(
  ctx: RequestContext,
  input: RecordUsagesInput,
): Promise<{ results: UsageRowResult[] }> {
  if (input.rows.length === 0) throw refusal('InvalidInput', ['input', 'rows'], 'Give at least one row.');
  return inSqlTransaction(ctx, async (tx) => {
    const rows = input.rows.map((row, index) => usageRow(row, ['input', 'rows', index], ctx.now));
    const outcomes = await countUsages(tx, rows);
    const problems = rows.flatMap((row) => row.problems);
    if (input.onError === 'ALL_OR_NOTHING' && problems.length > 0) throw new Refusal(problems);
    const results = rows.map(({ problems: userErrors }, index) => {
      const { usage = null, isReplayed = false } = outcomes[index] ?? {};
      return { index, usage, replayed: isReplayed, userErrors: userErrors.map(asKept) };
    });
    return { results };
  });
}

/** A refusal's counts as text: it is kept with the idempotency key, in JSON. */
function asKept(error: UserErrorData): UserErrorData {
  const entries = Object.entries(error).map(([name, value]: [string, unknown]) => {
    return [name, typeof value === 'bigint' ? value.toString() : value];
  });
  return Object.fromEntries(entries) as UserErrorData;
}
