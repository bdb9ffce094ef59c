import { spawn } from 'node:child_process';
import { mkdtemp, rm, statfs } from 'node:fs/promises';
import type { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client } from 'pg';
import { require as requireTypeScript } from 'tsx/cjs/api';
import type * as ApplyMigrations from '../../src/database/applyMigrations.js';
import type * as EmbeddedPostgres from '../../src/database/embeddedPostgres.js';

type Sources = typeof EmbeddedPostgres & typeof ApplyMigrations;

declare global {
  var stopTestDatabase: (() => Promise<void>) | undefined;
}

// A test database need not survive a power cut, and is faster without.
const postgresFlags = ['fsync=off', 'synchronous_commit=off', 'full_page_writes=off', 'max_connections=300'].flatMap(
  (setting) => ['-c', setting],
);

/** Starts one PostgreSQL for the whole run, with a migrated template database that `cloneDatabase` copies. */
export default async function globalSetup(): Promise<void> {
  const { startEmbeddedPostgres } = source('embeddedPostgres');
  await keepFilesInMemory();
  const dataDir = await mkdtemp(join(tmpdir(), 'latchkey-test-'));
  process.env.LATCHKEY_TEST_FOLDER = dataDir;
  const stopReaper = startReaper(dataDir);
  const postgres = await startEmbeddedPostgres({ dataDir, postgresFlags });
  globalThis.stopTestDatabase = async () => {
    await postgres.stop();
    await rm(dataDir, { recursive: true, force: true });
    stopReaper();
  };
  const adminUrl = new URL(postgres.url);
  adminUrl.pathname = '/postgres';
  process.env.LATCHKEY_TEST_DATABASE_URL = adminUrl.href;
  await createTemplate(adminUrl).catch(async (error: unknown) => {
    await globalThis.stopTestDatabase?.();
    throw error;
  });
}

/**
 * Lets `tmpdir()` be a folder in memory, here and in the workers, where there is one with enough room (the deep tests make
 * databases of some GiB): a database has over a thousand files, and copying them is what each test file begins with.
 */
async function keepFilesInMemory(): Promise<void> {
  const { bavail, bsize } = await statfs('/dev/shm').catch(() => ({ bavail: 0, bsize: 0 }));
  if (bavail * bsize > 8 * 1024 ** 3) process.env.TMPDIR = '/dev/shm';
}

/** Jest loads this file outside of its module system, which is what maps `.js` to `.ts`, so these need another loader. */
function source(name: 'embeddedPostgres' | 'applyMigrations'): Sources {
  return requireTypeScript(`../../src/database/${name}.ts`, import.meta.url) as Sources;
}

async function createTemplate(adminUrl: URL): Promise<void> {
  const { applyMigrations } = source('applyMigrations');
  const admin = new Client({ connectionString: adminUrl.href });
  await admin.connect();
  try {
    await admin.query('CREATE DATABASE latchkey_template');
    const templateUrl = new URL(adminUrl);
    templateUrl.pathname = '/latchkey_template';
    await applyMigrations(templateUrl.href);
    // Nobody may connect to it from now on: a template with a connection cannot be copied.
    await admin.query('ALTER DATABASE latchkey_template WITH IS_TEMPLATE true ALLOW_CONNECTIONS false');
  } finally {
    await admin.end();
  }
}

/**
 * A process that waits for ours to end, however it ends, and then takes PostgreSQL and its files away: the end of our process
 * closes its standard input. After a regular teardown it finds nothing to do.
 */
function startReaper(dataDir: string): () => void {
  const script = `
    const { readFileSync, rmSync } = require('node:fs');
    const [dataDir] = process.argv.slice(1);
    process.stdin.resume().on('end', () => {
      try {
        process.kill(parseInt(readFileSync(dataDir + '/postgres/postmaster.pid', 'utf8')), 'SIGQUIT');
      } catch {}
      rmSync(dataDir, { recursive: true, force: true, maxRetries: 50 });
    });`;
  const reaper = spawn(process.execPath, ['-e', script, dataDir], {
    cwd: tmpdir(),
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  reaper.unref();
  (reaper.stdin as Socket).unref();
  return () => reaper.stdin.end();
}
