import DataLoader from 'dataloader';
import type { ProductKeyUsageArgs, UsageResolution } from '../generated/graphql.js';
import { ClientError } from '../kernel/clientError.js';
import { tenantOf, type RequestContext } from '../kernel/requestContext.js';

/** What was used in an hour or on a day. */
export interface UsagePoint {
  readonly start: Date;
  readonly end: Date;
  readonly amount: bigint;
  readonly corrected: bigint;
  readonly calls: bigint;
}

/** Whose usage, and which. */
export interface UsageQuestion {
  readonly productKeyId: string;
  readonly args: ProductKeyUsageArgs;
}

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const steps: Record<UsageResolution, { ms: number; unit: string; most: number }> = {
  HOUR: { ms: HOUR, unit: 'hour', most: 31 * 24 },
  DAY: { ms: DAY, unit: 'day', most: 366 },
};

const statement = `SELECT product_key_id AS id, date_trunc($3, hour, 'UTC') AS start, sum(amount)::bigint AS amount,
    sum(corrected)::bigint AS corrected, sum(calls)::bigint AS calls
  FROM product_key_usage_hours
  WHERE business_id = $1 AND mode = $2 AND product_key_id = ANY($4::uuid[]) AND hour >= $5 AND hour < $6 GROUP BY 1, 2`;

interface Window {
  readonly from: Date;
  readonly to: Date;
  readonly resolution: UsageResolution;
}

/**
 * Usage of product keys by hour or day, gaps filled: one statement for all keys that are asked about the same.
 * @throws ClientError BAD_USER_INPUT for a window that is empty or too long
 */
export function usageByKey(ctx: RequestContext): DataLoader<UsageQuestion, UsagePoint[], string> {
  return new DataLoader((questions) => answersOf(ctx, questions), {
    cacheKeyFn: (question) => JSON.stringify(question),
  });
}

async function answersOf(ctx: RequestContext, questions: readonly UsageQuestion[]): Promise<UsagePoint[][]> {
  const groups = new Map<string, UsageQuestion[]>();
  for (const question of questions) {
    const asked = JSON.stringify(question.args);
    groups.set(asked, [...(groups.get(asked) ?? []), question]);
  }
  const found = new Map<UsageQuestion, UsagePoint[]>();
  for (const group of groups.values()) {
    const ids = group.map(({ productKeyId }) => productKeyId);
    const points = await pointsOf(ctx, ids, windowOf((group[0] as UsageQuestion).args));
    group.forEach((question, i) => found.set(question, points[i] ?? []));
  }
  return questions.map((question) => found.get(question) ?? []);
}

function windowOf({ from, to, resolution }: ProductKeyUsageArgs): Window {
  const { ms, most, unit } = steps[resolution ?? 'DAY'];
  const start = new Date(Math.floor(from.getTime() / ms) * ms);
  if (to <= from) throw new ClientError('BAD_USER_INPUT', 'Give a `to` after `from`.', { argument: 'to' });
  if (to.getTime() - start.getTime() > most * ms) {
    throw new ClientError('BAD_USER_INPUT', `Ask for at most ${most} of resolution ${unit} at once.`, {
      argument: 'to',
    });
  }
  return { from: start, to, resolution: resolution ?? 'DAY' };
}

async function pointsOf(ctx: RequestContext, ids: readonly string[], window: Window): Promise<UsagePoint[][]> {
  const { ms, unit } = steps[window.resolution];
  const { businessId, mode } = tenantOf(ctx);
  // The last hour or day is told whole, as the first one is.
  const end = new Date(Math.ceil(window.to.getTime() / ms) * ms);
  const values = [businessId, mode, unit, ids, window.from, end];
  const rows = await ctx.db.sql<Omit<UsagePoint, 'end'> & { id: string }>('usage_by_key', statement, values);
  const byPlace = new Map(rows.map((row) => [`${row.id} ${row.start.getTime()}`, row]));
  const count = (end.getTime() - window.from.getTime()) / ms;
  return ids.map((id) =>
    Array.from({ length: count }, (_, i) => {
      const at = window.from.getTime() + i * ms;
      const { amount = 0n, corrected = 0n, calls = 0n } = byPlace.get(`${id} ${at}`) ?? {};
      return { start: new Date(at), end: new Date(at + ms), amount, corrected, calls };
    }),
  );
}
