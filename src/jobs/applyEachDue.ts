import type { Logger } from 'pino';
import { describeFault } from '../kernel/describeFault.js';
import type { RequestContext, Tenant } from '../kernel/requestContext.js';
import { inSqlTransaction, type SqlTx } from '../kernel/transaction.js';
import { systemContext, type SystemParts } from './systemContext.js';

/** What a job needs that carries out what is due. */
export interface DueParts extends SystemParts {
  readonly now: Date;
  readonly log: Logger;
}

/** A row of which something is due. */
export interface DueRow extends Tenant {
  readonly id: string;
}

/** What such a job does with each row. */
export interface DueWork {
  /** Its name, which the changes that it writes carry as the request's id. */
  readonly job: string;
  /** What rows are called in the log. */
  readonly about: string;
  /** Locks the row, skipping it where somebody else holds it, and carries out what is due. Says whether something was written. */
  readonly carryOut: (tx: SqlTx, row: DueRow) => Promise<boolean>;
  readonly fault: string;
}

/** Rows worked on at a time by one worker; the API needs connections too. */
const AT_ONCE = 4;

/**
 * Carries out what is due of rows, each in a transaction of its own and as the server in the row's tenant, so that one that fails is
 * logged and stops no other.
 * @returns of how many rows something was written: not where another worker or use case did it or does it just now
 */
export async function applyEachDue(parts: DueParts, due: readonly DueRow[], work: DueWork): Promise<number> {
  const waiting = [...due];
  let done = 0;
  const run = async () => {
    for (let next = waiting.shift(); next; next = waiting.shift()) if (await applyOne(parts, next, work)) done++;
  };
  await Promise.all(Array.from({ length: AT_ONCE }, run));
  return done;
}

async function applyOne(parts: DueParts, row: DueRow, { job, about, carryOut, fault }: DueWork): Promise<boolean> {
  const { businessId, mode, id } = row;
  const ctx: RequestContext = { ...systemContext(parts, { businessId, mode }), now: parts.now, requestId: job };
  try {
    const { isChanged } = await inSqlTransaction(ctx, async (tx) => ({ isChanged: await carryOut(tx, row) }));
    return isChanged;
  } catch (error) {
    parts.log.error({ [about]: id, err: describeFault(error) }, fault);
    return false;
  }
}
