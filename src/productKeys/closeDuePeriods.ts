import type { Logger } from 'pino';
import type { ProductKey } from '../generated/prisma/client.js';
import { systemContext, type SystemParts } from '../jobs/systemContext.js';
import { describeFault } from '../kernel/describeFault.js';
import { NO_ID } from '../kernel/id.js';
import type { Tenant } from '../kernel/requestContext.js';
import { columnsOf } from '../kernel/rows.js';
import { inSqlTransaction } from '../kernel/transaction.js';
import { closeOver } from './lockMeters.js';

/** What the job needs. */
export interface ClosingParts extends SystemParts {
  readonly now: Date;
  readonly log: Logger;
}

interface DueMeter extends Tenant {
  readonly id: string;
  readonly at: Date;
}

const BATCH = 200;
/** Keys worked on at a time by one worker; the API needs connections too. */
const AT_ONCE = 4;
/** Periods of one key that one transaction closes. */
const MOST = 200;

/** Read off `product_key_meters_open`, however many keys there are. */
const dueMeters = `SELECT business_id AS "businessId", mode, id, period_ends_at AS at FROM product_key_meters
  WHERE closed_at IS NULL AND period_ends_at IS NOT NULL AND period_ends_at <= $1 AND (period_ends_at, id) > ($2, $3)
  ORDER BY period_ends_at, id LIMIT ${BATCH}`;

const lockText = `SELECT ${columnsOf('ProductKey')} FROM product_keys WHERE business_id = $1 AND mode = $2 AND id = $3
  FOR NO KEY UPDATE SKIP LOCKED`;

/**
 * A job: writes the statements of all tenants' periods that are over, of keys that nobody uses too. Each key in transactions of its
 * own, so that one that fails is logged and stops no other. However many workers run it at once, beside uses that close the same
 * periods, each period is closed once.
 * @returns how many were closed by this call
 */
export async function closeDuePeriods(parts: ClosingParts): Promise<number> {
  let total = 0;
  let last: Pick<DueMeter, 'at' | 'id'> = { at: new Date(-62_135_596_800_000), id: NO_ID };
  for (;;) {
    const values = [parts.now, last.at, last.id];
    const { rows: due } = await parts.db.writer.pool.query<DueMeter>({ name: 'due_meters', text: dueMeters, values });
    total += await closeAll(parts, due);
    const end = due.at(-1);
    if (!end || due.length < BATCH) return total;
    last = end;
  }
}

async function closeAll(parts: ClosingParts, due: readonly DueMeter[]): Promise<number> {
  const waiting = [...due];
  const done: number[] = [];
  const work = async () => {
    for (let next = waiting.shift(); next; next = waiting.shift()) {
      done.push(await closeKey(parts, next));
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  return done.reduce((sum, closed) => sum + closed, 0);
}

/** Transaction after transaction, until nothing is left of it; gives how many periods they closed. */
async function closeKey(parts: ClosingParts, due: DueMeter): Promise<number> {
  for (let total = 0; ;) {
    const closed = await closeSome(parts, due);
    total += closed;
    if (closed < MOST) return total;
  }
}

/** How many were closed: none when another worker or a use did it or does it just now, and none when it failed. */
async function closeSome(parts: ClosingParts, { id, at: _, ...tenant }: DueMeter): Promise<number> {
  const ctx = { ...systemContext(parts, tenant), now: parts.now, requestId: 'closeDuePeriods' };
  try {
    const { closed } = await inSqlTransaction(ctx, async (tx) => {
      const [key] = await tx.sql<ProductKey>('lock_key_of_due_meter', lockText, [tenant.businessId, tenant.mode, id]);
      if (!key) return { closed: 0 };
      return { closed: (await closeOver(tx, [key], MOST)).closed };
    });
    return closed;
  } catch (error) {
    parts.log.error({ productKey: id, err: describeFault(error) }, 'the periods of a product key could not be closed');
    return 0;
  }
}
