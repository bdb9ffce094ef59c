import pg from 'pg';
import type { Logger } from 'pino';
import { endsWithin, pause } from './pause.js';

/** What a session is kept for. */
export interface SessionParts {
  /** A direct connection, not one through a transaction pooler: locks belong to the session. */
  readonly url: string;
  /** Told to the database and in the log, such as `relay`. */
  readonly name: string;
  readonly log: Logger;
  /**
   * Works on the connection until `ended`, which comes when the connection breaks or the session is stopped. What it throws
   * breaks the connection, and with it an open transaction and every lock.
   */
  work(client: pg.Client, ended: AbortSignal): Promise<void>;
}

/** Something that goes on until it is stopped. */
export interface Session {
  /** Ends the connection, so that its locks are free when this resolves. */
  stop(): Promise<void>;
}

const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 2_000;
/** A session that lived this long was sound: the next one starts without a growing pause. */
const SOUND_MS = 10_000;
const QUERY_TIMEOUT_MS = 15_000;

/**
 * Keeps a connection of its own to the database, and work on it: whenever it breaks, because the database restarts for
 * instance, it is made anew after a pause that grows to two seconds. Never throws.
 */
export function keepSession({ url, name, log, work }: SessionParts): Session {
  const stopped = new AbortController();
  const live = async () => {
    let failures = 0;
    while (!stopped.signal.aborted) {
      const since = performance.now();
      const error = await runSession(url, name, stopped.signal, work);
      if (stopped.signal.aborted) return;
      failures = performance.now() - since > SOUND_MS ? 0 : failures + 1;
      const reason = error instanceof Error ? error.message : 'it ended';
      log.warn({ session: name, reason }, 'a database session broke; it is made anew');
      await pause(Math.min(FIRST_PAUSE_MS * 2 ** failures, LONGEST_PAUSE_MS), stopped.signal);
    }
  };
  const life = live();
  return {
    async stop() {
      stopped.abort();
      await life;
    },
  };
}

/** One connection, from its start to its end; gives what ended it. */
async function runSession(
  url: string,
  name: string,
  stopped: AbortSignal,
  work: SessionParts['work'],
): Promise<unknown> {
  const client = new pg.Client({
    connectionString: url,
    application_name: `latchkey ${name}`,
    connectionTimeoutMillis: 5_000,
    query_timeout: QUERY_TIMEOUT_MS,
    keepAlive: true,
  });
  const broken = new AbortController();
  // Without a listener, a connection that breaks would end the process.
  client.on('error', (error) => broken.abort(error));
  client.on('end', () => broken.abort(new Error('the connection ended')));
  try {
    await client.connect();
    // When this machine vanishes without a word, the database notices within half a minute and frees the locks.
    await client.query('SET tcp_keepalives_idle = 10; SET tcp_keepalives_interval = 5; SET tcp_keepalives_count = 3');
    await work(client, AbortSignal.any([stopped, broken.signal]));
    return broken.signal.reason;
  } catch (error) {
    return error;
  } finally {
    // A connection that hangs is left to itself after a second.
    await endsWithin(1_000, client.end());
  }
}
