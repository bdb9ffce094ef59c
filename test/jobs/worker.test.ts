import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import pg from 'pg';
import { pino } from 'pino';
import { startJobWorker, type JobWorker, type JobWorkerParts, type Task } from '../../src/jobs/worker.js';
import { cloneDatabase, type TestDatabase } from '../support/database.js';
import { waitUntil } from '../support/waitUntil.js';

let database: TestDatabase;
let child: ChildProcess | undefined;
let pool: pg.Pool;
const workers: JobWorker[] = [];
const lines: string[] = [];
const log = pino({ level: 'warn' }, { write: (line: string) => void lines.push(line) });

beforeAll(async () => {
  database = await cloneDatabase();
  pool = new pg.Pool({ connectionString: database.url, max: 3 });
  pool.on('error', () => undefined);
});
afterEach(async () => {
  child?.kill('SIGKILL');
  await Promise.all(workers.splice(0).map((worker) => worker.stop(100)));
  await pool.query('SELECT graphile_worker.force_unlock_workers(array_agg(locked_by)) FROM graphile_worker.jobs');
  await pool.query('SELECT graphile_worker.complete_jobs(array_agg(id)) FROM graphile_worker.jobs');
  lines.length = 0;
});
afterAll(async () => {
  await pool.end();
  await database.drop();
});

async function worker(work: Task, parts: Partial<JobWorkerParts> = {}): Promise<JobWorker> {
  const started = await startJobWorker({
    url: database.url,
    concurrency: 2,
    tasks: { work },
    everyMinute: [],
    log,
    sweepMs: 100,
    ...parts,
  });
  workers.push(started);
  return started;
}

async function addJobs(count: number): Promise<void> {
  await pool.query(
    `SELECT graphile_worker.add_job('work', json_build_object('nth', nth)) FROM generate_series(1, $1::int) AS nth`,
    [count],
  );
}

async function jobs(): Promise<{ attempts: number; locked: boolean; lastError: string | null }[]> {
  const { rows } = await pool.query<{ attempts: number; locked: boolean; lastError: string | null }>(
    `SELECT attempts, locked_by IS NOT NULL AS locked, last_error AS "lastError" FROM graphile_worker.jobs ORDER BY id`,
  );
  return rows;
}

const nthOf = (payload: unknown) => (payload as { nth: number }).nth;

test('jobs are done, each once, by any number of workers', async () => {
  const done: number[] = [];
  const work: Task = async (payload) => void done.push(nthOf(payload));
  await Promise.all([worker(work), worker(work), worker(work)]);
  await addJobs(60);
  await waitUntil('all are done', async () => (await jobs()).length === 0);
  expect(done.toSorted((left, right) => left - right)).toEqual(Array.from({ length: 60 }, (_, i) => i + 1));
});

test('a job that fails is tried again later, and neither log nor queue tell what it was given', async () => {
  await worker(async () => {
    throw new Error('not today');
  });
  await pool.query(`SELECT graphile_worker.add_job('work', '{"secret": "K3Y"}')`);
  await waitUntil('it failed', async () => (await jobs())[0]?.lastError === 'not today');
  expect(await jobs()).toEqual([{ attempts: 1, locked: false, lastError: 'not today' }]);
  expect(lines).toHaveLength(1);
  expect(JSON.parse(lines[0] as string)).toMatchObject({ task: 'work', attempt: 1, err: { message: 'not today' } });
  expect(lines[0]).not.toContain('K3Y');
});

test('the jobs of a worker that was killed are done by another one', async () => {
  const hanging = spawn(
    process.execPath,
    ['--import', 'tsx', join(import.meta.dirname, 'hangingWorker.ts'), database.url],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  const took = createInterface({ input: hanging.stdout });
  child = hanging;
  await addJobs(2);
  const seen: string[] = [];
  took.on('line', (line) => seen.push(line));
  await waitUntil('the child took both', () => seen.length === 2);
  // A third one is left by a worker of long ago.
  await addJobs(1);
  await pool.query(
    "UPDATE graphile_worker._private_jobs SET locked_by = 'pool-gone', locked_at = now() WHERE locked_by IS NULL",
  );
  const done: number[] = [];
  await worker(async (payload) => void done.push(nthOf(payload)));
  await waitUntil('the left one is done', async () => (await jobs()).length === 2);
  // While the child lives, however long it takes, its jobs are its own.
  expect(await jobs()).toEqual(Array(2).fill({ attempts: 1, locked: true, lastError: null }));
  hanging.kill('SIGKILL');
  await once(hanging, 'exit');
  await waitUntil('the killed one’s jobs are done', async () => (await jobs()).length === 0);
  expect(done.toSorted()).toEqual([1, 1, 2]);
});

test('a worker whose connections break goes on, and keeps its jobs from the others', async () => {
  let release = () => undefined as void;
  const released = new Promise<void>((resolve) => (release = resolve));
  const starts: number[] = [];
  const work: Task = async (payload) => {
    starts.push(nthOf(payload));
    await released;
  };
  await Promise.all([worker(work, { sweepMs: 1_000 }), worker(work, { sweepMs: 1_000 })]);
  await addJobs(4);
  await waitUntil('all are at work', () => starts.length === 4);
  await pool.query(
    `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
      WHERE datname = current_database() AND application_name IN ('latchkey queue', 'latchkey worker presence')`,
  );
  const present = async () =>
    (await pool.query(`SELECT FROM pg_locks WHERE locktype = 'advisory' AND objsubid = 2 AND granted`)).rowCount;
  await waitUntil('both are seen again', async () => (await present()) === 2);
  release();
  await waitUntil('all are done', async () => (await jobs()).length === 0);
  expect(starts.toSorted()).toEqual([1, 2, 3, 4]);
  await addJobs(1);
  await waitUntil('a new one is done', async () => (await jobs()).length === 0);
});

test('jobs go on though every connection of the queue is killed again and again', async () => {
  const done = new Map<number, number>();
  await worker(async (payload) => {
    await new Promise((resolve) => setImmediate(resolve));
    done.set(nthOf(payload), (done.get(nthOf(payload)) ?? 0) + 1);
  });
  await addJobs(400);
  for (const reached of [50, 150, 250]) {
    await waitUntil(`${reached} are done`, () => done.size >= reached);
    await pool.query(
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
        WHERE datname = current_database() AND application_name = 'latchkey queue'`,
    );
  }
  await waitUntil('all are done', async () => (await jobs()).length === 0);
  expect(done.size).toBe(400);
  // Done twice is only what was finished when the connection broke on the way to say so.
  expect([...done.values()].reduce((sum, times) => sum + times - 1, 0)).toBeLessThanOrEqual(30);
});

test('stopping waits for what runs', async () => {
  let finish = () => undefined as void;
  const finished = new Promise<void>((resolve) => (finish = resolve));
  let started = false;
  const stopped = await worker(async () => {
    started = true;
    await finished;
  });
  await addJobs(3);
  await waitUntil('it runs', () => started);
  const stopping = workers.pop() && stopped.stop(10_000);
  finish();
  await stopping;
  // Two were at work; the third was not begun any more.
  expect(await jobs()).toEqual([{ attempts: 0, locked: false, lastError: null }]);
});

test('stopping gives back what takes too long, for another worker to do at once', async () => {
  const stopped = await worker(() => new Promise(() => undefined));
  await addJobs(1);
  await waitUntil('it is taken', async () => (await jobs())[0]?.locked === true);
  workers.pop();
  await stopped.stop(50);
  expect(await jobs()).toEqual([{ attempts: 1, locked: false, lastError: null }]);
  let done = false;
  await worker(async () => void (done = true));
  await waitUntil('it is done', () => done);
});

test('the schedule is known to the queue once, whatever the number of workers', async () => {
  const parts = { everyMinute: ['work'] };
  await Promise.all([worker(async () => undefined, parts), worker(async () => undefined, parts)]);
  await waitUntil('it is known', async () => {
    const { rows } = await pool.query('SELECT identifier FROM graphile_worker._private_known_crontabs');
    return rows.length === 1 && rows[0].identifier === 'work';
  });
});
