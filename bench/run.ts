import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import { parseArgs } from 'node:util';
import { join } from 'node:path';
import { Client } from 'pg';
import { applyMigrations } from '../src/database/applyMigrations.js';
import { startEmbeddedPostgres } from '../src/database/embeddedPostgres.js';
import { freePort } from '../src/database/startServer.js';
import { checkLedger } from './checkLedger.js';
import { checkUsage } from './checkUsage.js';
import { compare, CONCURRENCY, type Bench } from './compare.js';
import { loadWorld } from './loadWorld.js';
import { measureProcesses, watchMemory } from './processes.js';
import { printTable, type Measured } from './printTable.js';
import { bare } from './servers/bare.js';
import { latchkey, latchkeyOf } from './servers/latchkey.js';
import { peersHere } from './servers/peers.js';
import type { BenchServer } from './servers/server.js';
import { workloadsOf, type Workload } from './workloads.js';

const { peers, absent } = peersHere();

const sizes = {
  quick: { businesses: 5, licenses: 20_000, rounds: 3, roundMs: 500, warmUpMs: 1_600, patienceMs: 180_000 },
  full: { businesses: 50, licenses: 1_000_000, rounds: 5, roundMs: 1_500, warmUpMs: 10_000, patienceMs: 7_200_000 },
};
/** The quick one leaves out the peers and the other workloads. */
const quickly = ['license', 'page', 'validate', 'hot-wallet'];

const postgresFlags = [
  'shared_preload_libraries=pg_stat_statements',
  'shared_buffers=512MB',
  'max_wal_size=8GB',
  'checkpoint_timeout=1h',
].flatMap((setting) => ['-c', setting]);

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
    options: {
      quick: { type: 'boolean' },
      only: { type: 'string' },
      servers: { type: 'string' },
      profile: { type: 'string' },
      flat: { type: 'string' },
      processes: { type: 'boolean' },
      against: { type: 'string' },
    },
  });
  const size = sizes[values.quick ? 'quick' : 'full'];
  const named = values.servers?.split(',') ?? (values.quick ? [] : peers.map(({ name }) => name));
  const before = values.against === undefined ? [] : [latchkeyOf('before', values.against)];
  const servers = [latchkey, ...before, ...peers.filter(({ name }) => named.includes(name)), bare];
  const patienceMs = size.patienceMs + Number(values.flat ?? 0) * 60_000;
  setTimeout(() => void end(`gave up after ${patienceMs / 1_000} s`), patienceMs).unref();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void end(signal));
  const started = performance.now();
  const bench = await prepare(size, servers, values.profile);
  const measured: Measured[] = [];
  const all = workloadsOf(bench.world);
  const only = values.only?.split(',') ?? (values.quick ? quickly : all.map(({ name }) => name));
  const chosen = all.filter(({ name }) => only.includes(name));
  for (const workload of chosen) measured.push({ workload, rounds: await compare(bench, workload) });
  await checkLedger(bench.db, bench.purchases);
  await checkUsage(bench.db, bench.uses);
  printTable(
    servers.map(({ name }) => name),
    measured,
  );
  for (const line of leftOut(servers, all, chosen)) console.log(line);
  if (values.processes || (!values.quick && !values.only)) await measureProcesses(bench, all);
  if (values.flat !== undefined) await watchMemory(bench, all, Number(values.flat));
  const seconds = Math.round((performance.now() - started) / 1_000);
  console.log(
    `\n${size.licenses} licenses of ${size.businesses} businesses; ${CONCURRENCY} connections; medians of ${size.rounds} rounds; ` +
      `node ${process.version} on ${availableParallelism()} processors; ${bench.purchases} purchases, ledger sound; ${bench.uses} uses, quotas exact; ${seconds} s`,
  );
}

/** What a reader of the table would look for in vain. */
function leftOut(
  servers: readonly BenchServer[],
  all: readonly Workload[],
  chosen: readonly Workload[],
): readonly string[] {
  const others = peers.filter((peer) => !servers.includes(peer)).map(({ name }) => name);
  const rows = all.filter((workload) => !chosen.includes(workload)).map(({ name }) => name);
  const skipping = servers.flatMap(({ name, skips = [] }) =>
    skips.length > 0 ? [`${name} has no ${skips.join(', ')}`] : [],
  );
  return [
    '',
    ...absent,
    ...skipping,
    ...(others.length > 0 ? [`servers left out: ${others.join(', ')}`] : []),
    ...(rows.length > 0 ? [`workloads left out: ${rows.join(', ')}`] : []),
  ];
}

async function end(why: string): Promise<void> {
  console.error(`bench: ${why}`);
  await stopAll();
  process.exit(1);
}

/** A loaded database and the servers over it. */
async function prepare(
  size: Bench['size'],
  servers: readonly BenchServer[],
  profile: string | undefined,
): Promise<Bench> {
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
  const postgresPid = parseInt(await readFile(join(folder, 'postgres', 'postmaster.pid'), 'utf8'));
  const db = await connected(postgres.url);
  const options = { databaseUrl: postgres.url, folder, profile };
  const [world, ...running] = await Promise.all([
    loadWorld(db, size),
    ...servers.map((server) => run(server, options)),
  ]);
  return {
    size,
    world,
    running,
    startAnother: async (server) => (await run(server, { ...options, profile: undefined })).process,
    db,
    statistics,
    postgresPid,
    purchases: 0,
    uses: 0,
    warm: new Set(),
  };
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

try {
  await main();
} catch (error) {
  if (!stopping) console.error(error);
  process.exitCode = 1;
} finally {
  await stopAll();
}
