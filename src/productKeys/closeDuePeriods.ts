import type { Logger } from 'pino';
import type { ProductKey } from '../generated/prisma/client.js';
import { systemContext, type SystemParts } from '../jobs/systemContext.js';
import { describeFault } from '../kernel/describeFault.js';
import { NO_ID } from '../kernel/id.js';
import type { Tenant } from '../kernel/requestContext.js';
import { columnsOf } from '../kernel/rows.js';
import { inSqlTransaction } from '../kernel/transaction.js';
import { carryOutDue } from './carryOutDue.js';
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

const BATCH = 500;
/** Keys of one tenant that one transaction closes periods of, and how many of each. */
const TOGETHER = 25;
const MOST = 20;
/** Transactions at a time of one worker; the API needs connections too. */
const AT_ONCE = 4;

/** Read off `product_key_meters_open`, however many keys there are. */
const dueMeters = `SELECT business_id AS "businessId", mode, id, period_ends_at AS at FROM product_key_meters
  WHERE closed_at IS NULL AND period_ends_at IS NOT NULL AND period_ends_at <= $1 AND (period_ends_at, id) > ($2, $3)
  ORDER BY period_ends_at, id LIMIT ${BATCH}`;

/** In one order, before their meters, as whoever changes them does. */
const lockText = `SELECT ${columnsOf('ProductKey')} FROM product_keys WHERE business_id = $1 AND mode = $2 AND id = ANY($3::uuid[])
  ORDER BY id FOR NO KEY UPDATE SKIP LOCKED`;

/**
 * A job: writes the statements of all tenants' periods that are over, of keys that nobody uses too. Some keys at a time in a
 * transaction; where one fails, each of them in one of its own, so that it is logged and stops no other. However many workers run
 * it at once, beside uses that close the same periods, each period is closed once.
 * @returns how many were closed by this call, beside those that were cut short by a key's end
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
  const waiting = groupsOf(due);
  const done: number[] = [];
  const work = async () => {
    for (let next = waiting.shift(); next; next = waiting.shift()) done.push(await closeGroup(parts, next));
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  return done.reduce((sum, closed) => sum + closed, 0);
}

/** Keys of one tenant that are closed together. */
interface Group {
  readonly tenant: Tenant;
  readonly ids: readonly string[];
}

function groupsOf(due: readonly DueMeter[]): Group[] {
  const byTenant = new Map<string, { tenant: Tenant; ids: string[] }>();
  for (const { businessId, mode, id } of due) {
    const name = `${businessId} ${mode}`;
    const found = byTenant.get(name) ?? { tenant: { businessId, mode }, ids: [] };
    byTenant.set(name, found);
    found.ids.push(id);
  }
  return [...byTenant.values()].flatMap(({ tenant, ids }) =>
    Array.from({ length: Math.ceil(ids.length / TOGETHER) }, (_, i) => {
      return { tenant, ids: ids.slice(i * TOGETHER, (i + 1) * TOGETHER) };
    }),
  );
}

/** Transaction after transaction, until nothing is left of it; gives how many periods they closed. */
async function closeGroup(parts: ClosingParts, group: Group): Promise<number> {
  let total = 0;
  try {
    for (let closed = MOST; closed >= MOST; total += closed) closed = await closeSome(parts, group);
    return total;
  } catch (error) {
    const [productKey, ...others] = group.ids;
    if (others.length === 0) {
      parts.log.error({ productKey, err: describeFault(error) }, 'the periods of a product key could not be closed');
      return total;
    }
    for (const id of group.ids) total += await closeGroup(parts, { ...group, ids: [id] });
    return total;
  }
}

/** How many were closed: none of keys that another worker or a use has closed or closes just now. */
async function closeSome(parts: ClosingParts, { tenant, ids }: Group): Promise<number> {
  const ctx = { ...systemContext(parts, tenant), now: parts.now, requestId: 'closeDuePeriods' };
  const { closed } = await inSqlTransaction(ctx, async (tx) => {
    const keys = await tx.sql<ProductKey>('lock_keys_of_due_meters', lockText, [tenant.businessId, tenant.mode, ids]);
    const { closed } = await closeOver(tx, keys, MOST);
    // What ended a key meanwhile is written with its last statement, of a period that may be cut short.
    if (closed < MOST) for (const key of keys) await carryOutDue(tx, key);
    return { closed };
  });
  return closed;
}
