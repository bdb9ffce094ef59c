import type { Logger } from 'pino';
import type { ProductKey } from '../generated/prisma/client.js';
import { systemContext, type SystemParts } from '../jobs/systemContext.js';
import { describeFault } from '../kernel/describeFault.js';
import { NO_ID } from '../kernel/id.js';
import type { Tenant } from '../kernel/requestContext.js';
import { columnsOf } from '../kernel/rows.js';
import { inSqlTransaction } from '../kernel/transaction.js';
import { carryOutDue } from './carryOutDue.js';

/** What the job needs. */
export interface DueParts extends SystemParts {
  readonly now: Date;
  readonly log: Logger;
}

interface DueKey extends Tenant {
  readonly id: string;
  readonly at: Date;
}

const BATCH = 200;
/** Keys worked on at a time by one worker; the API needs connections too. */
const AT_ONCE = 4;

const dueKeys = `SELECT business_id AS "businessId", mode, id, due_at AS at FROM product_keys
  WHERE due_at <= $1 AND (due_at, id) > ($2, $3) ORDER BY due_at, id LIMIT ${BATCH}`;

const lockDue = `SELECT ${columnsOf('ProductKey')} FROM product_keys WHERE business_id = $1 AND mode = $2 AND id = $3
  FOR NO KEY UPDATE SKIP LOCKED`;

/**
 * A job: writes down what has become true by itself of the product keys of all tenants: starts, trials' ends and their notices,
 * scheduled cancellations, expiries. Each key in a transaction of its own, so that one that fails is logged and stops no other.
 * Readers see all that from its instant on anyway. However many workers run it at once, and however late, each event is written
 * once.
 * @returns of how many keys something was written by this call
 */
export async function applyDueProductKeyEvents(parts: DueParts): Promise<number> {
  let total = 0;
  let last: Pick<DueKey, 'at' | 'id'> = { at: new Date(-62_135_596_800_000), id: NO_ID };
  for (;;) {
    const values = [parts.now, last.at, last.id];
    const { rows: due } = await parts.db.writer.pool.query<DueKey>({ name: 'due_product_keys', text: dueKeys, values });
    total += await applyAll(parts, due);
    const end = due.at(-1);
    if (!end || due.length < BATCH) return total;
    last = end;
  }
}

async function applyAll(parts: DueParts, due: readonly DueKey[]): Promise<number> {
  const waiting = [...due];
  let done = 0;
  const work = async () => {
    for (let next = waiting.shift(); next; next = waiting.shift()) if (await applyOne(parts, next)) done++;
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  return done;
}

/** Whether something was written: not when another worker or use case did it or does it just now, and not when it failed. */
async function applyOne(parts: DueParts, { id, at: _, ...tenant }: DueKey): Promise<boolean> {
  const ctx = { ...systemContext(parts, tenant), now: parts.now, requestId: 'applyDueProductKeyEvents' };
  try {
    const { isChanged } = await inSqlTransaction(ctx, async (tx) => {
      const [key] = await tx.sql<ProductKey>('lock_due_product_key', lockDue, [tenant.businessId, tenant.mode, id]);
      const changed = key ? await carryOutDue(tx, key) : null;
      return { isChanged: changed !== null && changed.version !== key?.version };
    });
    return isChanged;
  } catch (error) {
    parts.log.error(
      { productKey: id, err: describeFault(error) },
      'what is due of a product key could not be carried out',
    );
    return false;
  }
}
