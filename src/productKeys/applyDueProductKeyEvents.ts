import type { ProductKey } from '../generated/prisma/client.js';
import { applyEachDue, type DueParts, type DueRow, type DueWork } from '../jobs/applyEachDue.js';
import { NO_ID } from '../kernel/id.js';
import { columnsOf } from '../kernel/rows.js';
import { carryOutDue } from './carryOutDue.js';

interface DueKey extends DueRow {
  readonly at: Date;
}

const BATCH = 200;

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
    total += await applyEachDue(parts, due, work);
    const end = due.at(-1);
    if (!end || due.length < BATCH) return total;
    last = end;
  }
}

const work: DueWork = {
  job: 'applyDueProductKeyEvents',
  about: 'productKey',
  carryOut: async (tx, { businessId, mode, id }) => {
    const [key] = await tx.sql<ProductKey>('lock_due_product_key', lockDue, [businessId, mode, id]);
    return key !== undefined && (await carryOutDue(tx, key)).version !== key.version;
  },
  fault: 'what is due of a product key could not be carried out',
};
