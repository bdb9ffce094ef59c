import { EventEmitter } from 'node:events';
import { Logger as QueueLogger, parseCronItems, run, type Job, type Runner, type WorkerEvents } from 'graphile-worker';
import pg from 'pg';
import type { Logger } from 'pino';
import { describeFault } from '../kernel/describeFault.js';
import { endsWithin, pause } from './pause.js';
import { keepPresence, type Presence } from './workerPresence.js';

/** Does one job. What it throws is logged and kept, so it must name no person and no key; the job is then tried again later. */
export type Task = (payload: unknown) => Promise<void>;

/** What a worker is made from. */
export interface JobWorkerParts {
  /** A direct connection, not one through a transaction pooler: the queue listens and takes session locks. */
  readonly url: string;
  /** Jobs done at a time. */
  readonly concurrency: number;
  /** By the name that jobs carry. */
  readonly tasks: Readonly<Record<string, Task>>;
  /** Names of the tasks that are also done at the start of every minute, by one of all workers. */
  readonly everyMinute: readonly string[];
  readonly log: Logger;
  /** How often dead workers are looked for. */
  readonly sweepMs?: number;
}

/** A worker that takes jobs until it is stopped. */
export interface JobWorker {
  /**
   * Takes no more jobs and waits for those it has, but not longer than the grace; what still runs then is given back, for
   * another worker to do at once.
   */
  stop(graceMs: number): Promise<void>;
}

const SWEEP_MS = 30_000;
const RESTART_MS = 1_000;
/** How long a job of a queue library that failed has to end, while its successor is at work already. */
const LEFTOVER_MS = 60_000;
/** What is due goes before mails: a slow mail server must not delay it. */
const SCHEDULE_PRIORITY = -10;

/** Starts a worker on the queue, whose schema is migrated already. When the queue library gives up, it is started anew. */
export async function startJobWorker(parts: JobWorkerParts): Promise<JobWorker> {
  const stopping = new AbortController();
  let current: Promise<Shift | null> = Promise.resolve(await startShift(parts));
  let leftover: Promise<void> = Promise.resolve();
  const supervise = async () => {
    for (;;) {
      const shift = await current;
      await shift?.broken;
      if (shift && !stopping.signal.aborted) leftover = shift.end(LEFTOVER_MS);
      await pause(RESTART_MS, stopping.signal);
      if (stopping.signal.aborted) return;
      current = startShift(parts).catch((error: Error) => {
        parts.log.error({ reason: error.message }, 'the job queue did not start; it is tried again');
        return null;
      });
    }
  };
  void supervise();
  return {
    async stop(graceMs) {
      stopping.abort();
      await Promise.all([(await current)?.end(graceMs), endsWithin(graceMs, leftover)]);
    },
  };
}

/** One run of the queue library, with the presence under which it takes jobs and connections of its own. */
interface Shift {
  /** Resolves when the library stopped by itself: it does when the end of a job could not be written. */
  readonly broken: Promise<void>;
  end(graceMs: number): Promise<void>;
}

async function startShift(parts: JobWorkerParts): Promise<Shift> {
  const { url, log, sweepMs = SWEEP_MS } = parts;
  const pool = queuePool(parts);
  const events = new EventEmitter() as WorkerEvents;
  const atWork = new Set<Promise<void>>();
  let workerId = '';
  let presence: Presence | undefined;
  events.on('pool:create', ({ workerPool }) => {
    workerId = workerPool.id;
    presence = keepPresence({ url, workerId, sweepMs, log });
  });
  let isBroken = false;
  let isEnding = false;
  const broken = new Promise<void>((resolve) => {
    events.on('pool:gracefulShutdown', () => {
      if (isEnding) return;
      isBroken = true;
      log.error('the job queue stopped by itself; it is started again');
      resolve();
    });
  });
  const runner = await startQueue(parts, pool, events, atWork, async () => presence?.visible).catch(
    async (error: unknown) => {
      await endsWithin(1_000, pool.end());
      throw error;
    },
  );
  return {
    broken,
    async end(graceMs) {
      isEnding = true;
      const ended = runner.stop();
      // After a fault, the library loses count of its own work and never says that it has ended.
      const inTime = await endsWithin(graceMs, isBroken ? Promise.allSettled(atWork) : ended);
      ended.catch(() => undefined);
      if (isBroken || !inTime) await endsWithin(1_000, giveBack(pool, workerId));
      await presence?.stop();
      await endsWithin(1_000, pool.end());
    },
  };
}

/** @param ready awaited before the first job is taken */
async function startQueue(
  { concurrency, tasks, everyMinute, log }: JobWorkerParts,
  pool: pg.Pool,
  events: WorkerEvents,
  atWork: Set<Promise<void>>,
  ready: () => Promise<void>,
): Promise<Runner> {
  const noted = (task: Task) => async (payload: unknown) => {
    const work = task(payload);
    atWork.add(work);
    await work.finally(() => atWork.delete(work));
  };
  const runner = await run({
    pgPool: pool,
    events,
    noHandleSignals: true,
    concurrency,
    logger: queueLogger(log),
    taskList: Object.fromEntries(Object.entries(tasks).map(([name, task]) => [name, noted(task)])),
    parsedCronItems: parseCronItems(everyMinute.map(cronItem)),
    preset: {
      // Unbatched, the library does not wait for the end of a job to be written, and a fault there ends the process.
      worker: { completeJobBatchDelay: 0, failJobBatchDelay: 0 },
      plugins: [{ name: 'presence', version: '1.0.0', worker: { hooks: { startWorker: ready } } }],
    },
  });
  runner.promise.catch(() => undefined); // told by its events already
  return runner;
}

async function giveBack(pool: pg.Pool, workerId: string): Promise<void> {
  await pool.query('SELECT graphile_worker.force_unlock_workers($1)', [[workerId]]);
}

/** The queue's own connections: the pools for rows read bigints in another type than the library expects. */
function queuePool({ url, concurrency, log }: JobWorkerParts): pg.Pool {
  const pool = new pg.Pool({
    connectionString: url,
    // One listens; the others fetch jobs and write their ends.
    max: concurrency + 2,
    connectionTimeoutMillis: 5_000,
    statement_timeout: 10_000,
    application_name: 'latchkey queue',
  });
  const onBroken = (error: Error) => log.warn({ reason: error.message }, 'a connection of the job queue broke');
  pool.on('error', onBroken);
  pool.on('connect', (client) => client.on('error', onBroken));
  return pool;
}

function cronItem(task: string) {
  // A minute that was missed is not made up for: the next one does what is due.
  const options = { backfillPeriod: 0, maxAttempts: 1, jobKey: `schedule:${task}`, priority: SCHEDULE_PRIORITY };
  return { task, identifier: task, match: '* * * * *', options };
}

/** The library's lines in our log, without the payloads and with failed jobs as one line each. */
function queueLogger(log: Logger): QueueLogger {
  const levels = { error: 'error', warning: 'warn', info: 'debug', debug: 'trace' } as const;
  return new QueueLogger(() => (level, message, meta) => {
    const failed = meta?.failure ? (meta as { job: Job; error: Error }) : null;
    if (!failed) return log[levels[level]](message);
    const { job, error } = failed;
    log.warn(
      { job: job.id, task: job.task_identifier, attempt: job.attempts, err: describeFault(error) },
      'a job failed',
    );
  });
}
