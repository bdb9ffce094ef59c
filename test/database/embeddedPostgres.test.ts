import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { Client } from 'pg';
import { runningPostgres } from '../../src/database/runningPostgres.js';
import { startEmbeddedPostgres, type EmbeddedPostgres } from '../../src/database/embeddedPostgres.js';

const postgresFlags = ['-c', 'fsync=off'];
const isRoot = process.getuid?.() === 0;

let dataDir: string;
let lines: string[];
let running: EmbeddedPostgres[];
let child: ChildProcess | undefined;

beforeEach(async () => {
  dataDir = join(await mkdtemp(join(tmpdir(), 'latchkey-embedded-')), 'data');
  await chmod(join(dataDir, '..'), 0o711);
  lines = [];
  running = [];
});

afterEach(async () => {
  child?.kill('SIGKILL');
  child = undefined;
  await Promise.all(running.map((postgres) => postgres.stop()));
  const left = await runningPostgres(join(dataDir, 'postgres'));
  if (left) process.kill(left.pid, 'SIGQUIT');
  await rm(join(dataDir, '..'), { recursive: true, force: true, maxRetries: 10 });
});

test('the first start makes a database that only its owner can enter, on the loopback only', async () => {
  const { url, port } = await start();
  expect(new URL(url).hostname).toBe('127.0.0.1');
  expect(await rows(url, `SELECT current_database() AS name, length(lower('Ä')) AS letters`)).toEqual([
    { name: 'latchkey', letters: 1 },
  ]);
  const settings = join(dataDir, 'postgres.json');
  expect((await stat(settings)).mode & 0o777).toBe(0o600);
  expect(JSON.parse(await readFile(settings, 'utf8'))).toEqual({ password: new URL(url).password, port });
  expect(await rows(url, 'SHOW listen_addresses')).toEqual([{ listen_addresses: '127.0.0.1' }]);
  expect(await rows(url, 'SHOW fsync')).toEqual([{ fsync: 'off' }]);
  const stranger = new URL(url);
  stranger.password = 'guessed';
  await expect(rows(stranger.href, 'SELECT 1')).rejects.toThrow('password authentication failed');
});

test('stop stops it, and a restart has the data and the port', async () => {
  const before = await start();
  await rows(before.url, 'CREATE TABLE kept AS SELECT 1 AS one');
  const pid = await postmaster();
  await Promise.all([before.stop(), before.stop()]);
  await expect(rows(before.url, 'SELECT 1')).rejects.toThrow('ECONNREFUSED');
  await expect(postmaster()).rejects.toThrow('ENOENT');
  const after = await start();
  expect(after.url).toBe(before.url);
  expect(await postmaster()).not.toBe(pid);
  expect(await rows(after.url, 'SELECT one FROM kept')).toEqual([{ one: 1 }]);
});

test('a second owner is refused while the first lives, also in another process', async () => {
  const { url } = await start();
  const refusal = `The data folder ${dataDir} is in use by another Latchkey (process ${process.pid})`;
  await expect(start()).rejects.toThrow(refusal);
  expect(await startInChild()).toContain(refusal);
  expect(await rows(url, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
});

test('what a killed owner left running is taken over with its data, and stopped in the end', async () => {
  const url = await startInChild();
  await rows(url, 'CREATE TABLE kept AS SELECT 1 AS one');
  const pid = await postmaster();
  await killChild();
  const after = await start();
  expect(await postmaster()).toBe(pid);
  expect(lines).toEqual([`PostgreSQL was still running on 127.0.0.1:${after.port}`]);
  expect(await rows(after.url, 'SELECT one FROM kept')).toEqual([{ one: 1 }]);
  await after.stop();
  await expect(rows(url, 'SELECT 1')).rejects.toThrow('ECONNREFUSED');
});

test.each(['nobody', 'another program'])(
  'both killed, it starts, with the process id left behind being of %s',
  async (owner) => {
    const url = await startInChild();
    await rows(url, 'CREATE TABLE kept AS SELECT 1 AS one');
    const pid = await postmaster();
    await killChild();
    process.kill(pid, 'SIGKILL');
    if (owner === 'another program') {
      const { uid, gid } = await stat(join(dataDir, 'postgres'));
      child = spawn('cat', { stdio: ['pipe', 'ignore', 'ignore'], ...(isRoot ? { uid, gid } : {}) });
      const pidFile = join(dataDir, 'postgres', 'postmaster.pid');
      await writeFile(pidFile, (await readFile(pidFile, 'utf8')).replace(String(pid), String(child.pid)));
    }
    const after = await start();
    expect(lines).toEqual([`PostgreSQL started on 127.0.0.1:${after.port}`]);
    expect(await rows(after.url, 'SELECT one FROM kept')).toEqual([{ one: 1 }]);
  },
);

test('a port that is taken in the meantime is replaced', async () => {
  const before = await start();
  await before.stop();
  const other = spawn(process.execPath, [
    '-e',
    `require('net').createServer().listen(${before.port}, '127.0.0.1', () => console.log('listening'))`,
  ]);
  child = other;
  await once(other.stdout, 'data');
  const after = await start();
  expect(after.port).not.toBe(before.port);
  expect(await rows(after.url, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
});

test('a failed start says why in one line and leaves the folder free', async () => {
  await expect(start(['-c', 'max_connections=none'])).rejects.toThrow(
    /^The embedded PostgreSQL did not start: .*invalid value for parameter "max_connections".*$/,
  );
  await start();
});

(isRoot ? test : test.skip)(
  'as root, a folder that PostgreSQL may not enter is an error that says what to do',
  async () => {
    const closed = join(dataDir, '..', 'closed');
    await mkdir(closed, { mode: 0o700 });
    await expect(startEmbeddedPostgres({ dataDir: join(closed, 'data') })).rejects.toThrow(
      `which may not enter ${closed}: set LATCHKEY_DATA_DIR`,
    );
  },
);

async function start(flags = postgresFlags): Promise<EmbeddedPostgres> {
  const postgres = await startEmbeddedPostgres({ dataDir, postgresFlags: flags, log: (line) => lines.push(line) });
  running.push(postgres);
  return postgres;
}

/** Starts it in another process, which stays. @returns the URL, or the message of the error */
async function startInChild(): Promise<string> {
  const module = new URL('../../src/database/embeddedPostgres.ts', import.meta.url).href;
  const script = `
    const { startEmbeddedPostgres } = await import(${JSON.stringify(module)});
    const options = ${JSON.stringify({ dataDir, postgresFlags })};
    console.log(await startEmbeddedPostgres(options).then(({ url }) => url, (error) => error.message));
    setInterval(() => undefined, 60_000);`;
  child = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [line] = (await once(createInterface(child.stdout!), 'line')) as [string];
  return line;
}

async function killChild(): Promise<void> {
  const exit = once(child!, 'exit');
  child!.kill('SIGKILL');
  await exit;
}

async function postmaster(): Promise<number> {
  return parseInt(await readFile(join(dataDir, 'postgres', 'postmaster.pid'), 'utf8'));
}

async function rows(url: string, sql: string): Promise<unknown[]> {
  const client = new Client({ connectionString: url });
  await client.connect();
  return await client
    .query(sql)
    .then((result) => result.rows as unknown[])
    .finally(() => client.end());
}
