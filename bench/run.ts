import { mkdtemp, rm } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import { isDeepStrictEqual, parseArgs } from 'node:util';
import { join } from 'node:path';
import { Client } from 'pg';
import { applyMigrations } from '../src/database/applyMigrations.js';
import { startEmbeddedPostgres } from '../src/database/embeddedPostgres.js';
import { freePort } from '../src/database/startServer.js';
import { checkLedger } from './checkLedger.js';
import { checkUsage } from './checkUsage.js';
import { openConnection, requestBytes, type Answer } from './client.js';
import { freshBytes } from './freshBytes.js';
import { loadWorld, type World } from './loadWorld.js';
import { measure, type Round } from './measure.js';
import { printTable, type Measured } from './printTable.js';
import { bare } from './servers/bare.js';
import { latchkey } from './servers/latchkey.js';
import type { BenchServer, RunningServer } from './servers/server.js';
import { workloadsOf, writing, type Operation, type Workload } from './workloads.js';

/** What is compared; the last one is the measure. Peers are added here. */
const servers: readonly BenchServer[] = [latchkey, bare];

const CONCURRENCY = 16;
/** After as many, the compiler has done its work. */
const WARM_UP_REQUESTS = 4_000;
const sizes = {
  quick: { businesses: 5, licenses: 50_000, rounds: 3, roundMs: 700, warmUpMs: 1_600, patienceMs: 180_000 },
  full: { businesses: 50, licenses: 1_000_000, rounds: 5, roundMs: 6_000, warmUpMs: 3_000, patienceMs: 3_600_000 },
};

const postgresFlags = [
  'shared_preload_libraries=pg_stat_statements',
  'shared_buffers=512MB',
  'max_wal_size=8GB',
  'checkpoint_timeout=1h',
].flatMap((setting) => ['-c', setting]);

interface Bench {
  readonly size: (typeof sizes)[keyof typeof sizes];
  readonly world: World;
  readonly running: readonly { server: BenchServer; process: RunningServer }[];
  /** A connection to the world, and one to another database of the same server. */
  readonly db: Client;
  readonly statistics: Client;
  /** Purchases that were answered as done. */
  purchases: number;
  /** Uses of product keys that were answered as counted. */
  uses: number;
  /** Operations that the servers have got used to. */
  readonly warm: Set<Operation>;
}

const stops: (() => Promise<unknown>)[] = [];
let stopping: Promise<void> | undefined;

/** Starts something that must be undone, even when it is told to stop while it starts. */
async function owned<Thing>(start: () => Promise<Thing>, stop: (thing: Thing) => Promise<unknown>): Promise<Thing> {
  if (stopping) throw new Error('the benchmark is stopping');
  const starting = start();
  stops.push(async () => stop(await starting));
  return await starting;
}

/** Undoes what was started, the last first; whatever fails, the rest is still undone. */
function stopAll(): Promise<void> {
  return (stopping ??= (async () => {
    for (const stop of stops.toReversed()) await stop().catch((error: Error) => console.error(error.message));
  })());
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: { quick: { type: 'boolean' }, only: { type: 'string' }, profile: { type: 'string' } },
  });
  const size = sizes[values.quick ? 'quick' : 'full'];
  setTimeout(() => void end(`gave up after ${size.patienceMs / 1_000} s`), size.patienceMs).unref();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void end(signal));
  const started = performance.now();
  const bench = await prepare(size, values.profile);
  const measured: Measured[] = [];
  const chosen = workloadsOf(bench.world).filter(({ name }) => !values.only || values.only.split(',').includes(name));
  for (const workload of chosen) measured.push({ workload, rounds: await compare(bench, workload) });
  await checkLedger(bench.db, bench.purchases);
  await checkUsage(bench.db, bench.uses);
  printTable(
    servers.map(({ name }) => name),
    measured,
  );
  const seconds = Math.round((performance.now() - started) / 1_000);
  console.log(
    `\n${size.licenses} licenses of ${size.businesses} businesses; ${CONCURRENCY} connections; medians of ${size.rounds} rounds; ` +
      `node ${process.version} on ${availableParallelism()} processors; ${bench.purchases} purchases, ledger sound; ${bench.uses} uses, quotas exact; ${seconds} s`,
  );
}

async function end(why: string): Promise<void> {
  console.error(`bench: ${why}`);
  await stopAll();
  process.exit(1);
}

/** A loaded database and the servers over it. */
async function prepare(size: Bench['size'], profile: string | undefined): Promise<Bench> {
  const folder = await owned(
    () => mkdtemp(join(tmpdir(), 'latchkey-bench-')),
    (made) => rm(made, { recursive: true, force: true }),
  );
  const postgres = await owned(
    () => startEmbeddedPostgres({ dataDir: folder, postgresFlags }),
    (started) => started.stop(),
  );
  await applyMigrations(postgres.url);
  const statistics = await connected(postgres.url.replace(/latchkey$/, 'postgres'));
  await statistics.query('CREATE EXTENSION pg_stat_statements');
  const db = await connected(postgres.url);
  const options = { databaseUrl: postgres.url, folder, profile };
  const [world, ...running] = await Promise.all([
    loadWorld(db, size),
    ...servers.map((server) => run(server, options)),
  ]);
  return { size, world, running, db, statistics, purchases: 0, uses: 0, warm: new Set() };
}

async function run(
  server: BenchServer,
  { databaseUrl, folder, profile }: { databaseUrl: string; folder: string; profile: string | undefined },
): Promise<Bench['running'][number]> {
  const profiling = ['--cpu-prof', `--cpu-prof-dir=${profile}`, `--cpu-prof-name=${server.name}.cpuprofile`];
  const port = await freePort(0);
  const logFile = join(folder, `${server.name}.log`);
  const process = await owned(
    () => server.start({ databaseUrl, port, logFile, nodeArguments: profile ? profiling : [] }),
    (started) => started.stop(),
  );
  return { server, process };
}

function connected(url: string): Promise<Client> {
  return owned(
    async () => {
      const client = new Client({ connectionString: url });
      client.on('error', () => undefined);
      await client.connect();
      return client;
    },
    (client) => client.end(),
  );
}

/** Rounds of one workload by server, alternating, so that whatever else the machine does hits all of them. */
async function compare(bench: Bench, workload: Workload): Promise<Round[][]> {
  const { size, running, world } = bench;
  const requests = running.map(({ server }) =>
    workload.variables.map((variables) => {
      const { path, body } = server.request(workload.operation, variables);
      return requestBytes(path, callerOf(workload.operation, world), body);
    }),
  );
  const check = (answer: Answer) => {
    refuseErrors(workload, answer);
    if (workload.operation === 'purchase') bench.purchases++;
    bench.uses += workload.uses ?? 0;
  };
  await refuseDifferences(bench, workload, requests, check);
  const once = (index: number, ms: number, warming = false) => {
    const limits = { ms, requests: warming ? WARM_UP_REQUESTS : 200_000, concurrency: CONCURRENCY };
    return measure(running[index]!.process, requests[index]!, limits, check, bench.statistics);
  };
  const rounds: Round[][] = running.map(() => []);
  if (!bench.warm.has(workload.operation)) {
    for (const index of running.keys()) await once(index, size.warmUpMs, true);
    bench.warm.add(workload.operation);
  }
  for (let round = 0; round < size.rounds; round++) {
    const order = [...running.keys()];
    if (round % 2 === 1) order.reverse();
    for (const index of order) rounds[index]!.push(await once(index, size.roundMs));
  }
  return rounds;
}

/** Programs that check a key have no token. */
function callerOf(operation: Operation, { token, brandUrl }: World): string {
  return operation === 'validate' ? `Brand-URL: ${brandUrl}` : `Authorization: Bearer ${token}`;
}

/** Only an answer that did what was asked counts. */
function refuseErrors({ name, operation }: Workload, { status, body }: Answer): void {
  const done = operation !== 'purchase' || (body.includes('"success":true') && body.includes('"userErrors":[]'));
  const found = operation !== 'license' || !body.includes('"license":null');
  const counted = !body.includes('"usage":null') && !body.includes('"results":null');
  if (status === 200 && done && found && counted && !body.includes('"errors":')) return;
  throw new Error(`${name}: an answer with errors (${status}): ${body.slice(0, 1_000)}`);
}

/** The servers must answer the same: of readings the same data, of purchases the same fields. */
async function refuseDifferences(
  { running }: Bench,
  { name, operation }: Workload,
  requests: readonly (readonly Buffer[])[],
  check: (answer: Answer) => void,
): Promise<void> {
  const answers: unknown[] = [];
  for (const [index, { process }] of running.entries()) {
    const connection = await openConnection(process.port);
    try {
      const answer = await connection.send(freshBytes(requests[index]![0]!));
      check(answer);
      const { data } = JSON.parse(answer.body) as { data: unknown };
      answers.push(writing.has(operation) ? shapeOf(data) : data);
    } finally {
      connection.close();
    }
  }
  const other = answers.findIndex((answer) => !isDeepStrictEqual(answer, answers[0]));
  if (other < 0) return;
  const [first, second] = [answers[0], answers[other]].map((answer) => JSON.stringify(answer).slice(0, 2_000));
  throw new Error(
    `${name}: ${running[0]!.server.name} and ${running[other]!.server.name} answer differently:\n${first}\n${second}`,
  );
}

/** Names and types without the values. */
function shapeOf(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(shapeOf);
  if (typeof value !== 'object' || value === null) return typeof value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, shapeOf(inner)]));
}

try {
  await main();
} catch (error) {
  if (!stopping) console.error(error);
  process.exitCode = 1;
} finally {
  await stopAll();
}
