import type pg from 'pg';
import type { Logger } from 'pino';
import { keepSession } from '../jobs/keepSession.js';
import { pause } from '../jobs/pause.js';
import { enqueueDeliveries } from '../mail/enqueueDeliveries.js';
import { positionChanges, type PositionedChange } from './positionChanges.js';

/** What a relay is made from. */
export interface RelayParts {
  /** A direct connection, not one through a transaction pooler: the relay's lock belongs to the session. */
  readonly url: string;
  readonly clock: () => Date;
  readonly log: Logger;
  /** Told of changes once their positions are committed, in order; for whoever in this process waits for news. */
  onChanges?(changes: readonly PositionedChange[]): void;
}

/** The relay's part in this process. */
export interface Relay {
  /** Something was written: look now, not only at the next turn. Costs nothing where another process is the relay. */
  wake(): void;
  /** Lets a turn that has begun finish, and frees the lock for another process. */
  stop(): Promise<void>;
}

/** The advisory lock of the one process that is the relay. */
const RELAY_LOCK = 0x6c_6b_72_6c;
const BATCH = 500;
const POLL_MS = 200;
const STANDBY_MS = 500;
/** Time for others to write as well: a turn for each of a thousand transactions a second would cost more than they do. */
const GATHER_MS = 20;

/**
 * Carries what transactions left in the outbox onward: positions for changes, jobs for deliveries. Use cases only write rows;
 * this alone notifies and enqueues, in batches, because each of both costs a lock that all commits would wait for. Of all
 * processes one is the relay; the others stand by and take over within a second of its end. Never throws.
 */
export function startRelay({ url, clock, log, onChanges }: RelayParts): Relay {
  let woken = new AbortController();
  const session = keepSession({
    url,
    name: 'relay',
    log,
    async work(client, ended) {
      if (!(await becomeRelay(client, ended))) return;
      log.debug('this process is the relay');
      while (!ended.aborted) {
        woken = new AbortController();
        const { changes, full } = await relayOnce(client, clock());
        if (changes.length > 0) onChanges?.(changes);
        if (full) continue;
        await pause(POLL_MS, AbortSignal.any([ended, woken.signal]));
        if (woken.signal.aborted) await pause(GATHER_MS, ended);
      }
    },
  });
  return { wake: () => woken.abort(), stop: session.stop };
}

/** Tries again and again instead of waiting inside a statement: that would keep vacuum from cleaning up for as long. */
async function becomeRelay(client: pg.Client, ended: AbortSignal): Promise<boolean> {
  while (!ended.aborted) {
    const { rows } = await client.query<{ locked: boolean }>('SELECT pg_try_advisory_lock($1) AS locked', [RELAY_LOCK]);
    if (rows[0]?.locked) return true;
    await pause(STANDBY_MS, ended);
  }
  return false;
}

/** One turn, in one transaction on the connection that holds the lock: who lost the lock can commit nothing. */
async function relayOnce(client: pg.Client, now: Date): Promise<{ changes: PositionedChange[]; full: boolean }> {
  const { rows } = await client.query<{ waiting: boolean }>({
    name: 'outbox_waiting',
    text: `SELECT EXISTS (SELECT FROM changes WHERE position IS NULL)
      OR EXISTS (SELECT FROM deliveries WHERE enqueued_at IS NULL AND status = 'QUEUED') AS waiting`,
  });
  if (!rows[0]?.waiting) return { changes: [], full: false };
  await client.query('BEGIN');
  const changes = await positionChanges(client, BATCH);
  const enqueued = await enqueueDeliveries(client, BATCH, now);
  await client.query('COMMIT');
  return { changes, full: changes.length >= BATCH || enqueued >= BATCH };
}
