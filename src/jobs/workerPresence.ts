import type pg from 'pg';
import type { Logger } from 'pino';
import { keepSession } from './keepSession.js';
import { pause } from './pause.js';

/** What a worker's presence needs. */
export interface PresenceParts {
  /** A direct connection, not one through a transaction pooler. */
  readonly url: string;
  /** What the worker writes into the jobs that it takes. */
  readonly workerId: string;
  /** How often it looks for dead workers. */
  readonly sweepMs: number;
  readonly log: Logger;
}

/** A worker's sign of life. */
export interface Presence {
  /** Resolves when others can see it: no job may be taken before. */
  readonly visible: Promise<void>;
  stop(): Promise<void>;
}

/** First half of the advisory locks by which workers show that they live; the second half is a hash of the worker's id. */
const PRESENCE_LOCK = 0x6c_6b_77_6b;
/** How long a worker whose connection broke has to come back before its jobs are given to others. */
const ABSENCE_MS = 2_000;

/**
 * Shows that a worker lives, by a lock that the database frees when the worker's process dies however it dies, and frees the
 * jobs of workers that are dead: at once and then regularly. The queue by itself would keep them locked for four hours.
 */
export function keepPresence({ url, workerId, sweepMs, log }: PresenceParts): Presence {
  let show: () => void;
  const visible = new Promise<void>((resolve) => (show = resolve));
  const session = keepSession({
    url,
    name: 'worker presence',
    log,
    async work(client, ended) {
      await client.query('SELECT pg_advisory_lock($1, hashtext($2))', [PRESENCE_LOCK, workerId]);
      show();
      while (!ended.aborted) {
        const freed = await freeDeadWorkers(client, Math.min(ABSENCE_MS, sweepMs), ended);
        if (freed.length > 0) log.warn({ workers: freed }, 'jobs of dead workers were freed');
        await pause(sweepMs, ended);
      }
    },
  });
  return { visible, stop: session.stop };
}

/** Frees the jobs of workers that are absent twice in a row: one whose connection just broke comes back meanwhile. */
async function freeDeadWorkers(client: pg.Client, absenceMs: number, ended: AbortSignal): Promise<string[]> {
  const suspects = await absentWorkers(client);
  if (suspects.length === 0) return [];
  await pause(absenceMs, ended);
  if (ended.aborted) return [];
  const absent = new Set(await absentWorkers(client));
  const dead = suspects.filter((workerId) => absent.has(workerId));
  if (dead.length > 0) await client.query('SELECT graphile_worker.force_unlock_workers($1)', [dead]);
  return dead;
}

/** Workers that have locked jobs and hold no lock of presence. */
async function absentWorkers(client: pg.Client): Promise<string[]> {
  const { rows } = await client.query<{ workerId: string }>(
    `SELECT DISTINCT job.locked_by AS "workerId" FROM graphile_worker.jobs job
      WHERE job.locked_by IS NOT NULL AND NOT EXISTS (
        SELECT FROM pg_locks presence
          WHERE presence.locktype = 'advisory' AND presence.granted AND presence.objsubid = 2
            AND presence.database = (SELECT oid FROM pg_database WHERE datname = current_database())
            AND presence.classid = $1 AND presence.objid = (hashtext(job.locked_by)::bigint & 4294967295)::oid)`,
    [PRESENCE_LOCK],
  );
  return rows.map(({ workerId }) => workerId);
}
