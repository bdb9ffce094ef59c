import { chmod, chown, mkdir, realpath, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Client } from 'pg';
import { lockDataFolder } from './lockDataFolder.js';
import { assertReachable, postgresUser, runPostgresProgram, type PostgresUser } from './postgresPrograms.js';
import { exists, readSettings, writeSettings, type Settings } from './postgresSettings.js';
import { runningPostgres } from './runningPostgres.js';
import { freePort, startServer } from './startServer.js';

export interface EmbeddedPostgres {
  /** Connection string of the database `latchkey`, as its superuser. */
  url: string;
  port: number;
  /** Stops PostgreSQL (fast shutdown) and gives the data folder free. Later calls do nothing. */
  stop(): Promise<void>;
}

interface Options {
  /** Made if it is missing. PostgreSQL's files go to `postgres/` in it, its password and port to `postgres.json`. */
  dataDir: string;
  /** Default: the port of the last time if it is free, else any free one. */
  port?: number;
  log?: (line: string) => void;
  /** More command line for `postgres`, such as `['-c', 'fsync=off']`. */
  postgresFlags?: string[];
}

/**
 * Starts the PostgreSQL that npm installed, on 127.0.0.1, with all its files in one folder; the first time it is made there.
 * It runs apart from us, so that neither Ctrl-C nor our death takes it down before its clients are done: what a killed
 * process left running is taken over, and what died with it is started again.
 * @throws Error with one line for the operator: folder in use or not reachable, no programs for this platform, start failed
 */
export async function startEmbeddedPostgres(options: Options): Promise<EmbeddedPostgres> {
  await mkdir(options.dataDir, { recursive: true, mode: 0o711 });
  const folder = await realpath(options.dataDir);
  const unlock = await lockDataFolder(folder);
  const directory = join(folder, 'postgres');
  let user: PostgresUser = null;
  const stopServer = async (): Promise<void> => {
    if (await runningPostgres(directory))
      await runPostgresProgram('pg_ctl', ['stop', '-D', directory, '-m', 'fast', '-t', '60', '-s'], user, directory);
  };
  try {
    user = await userFor(folder, directory);
    const settings = await readSettings(folder, directory);
    if (!(await exists(directory))) await initialize(folder, directory, settings, user);
    let port = await takeOver(directory, settings, options.log);
    if (port === undefined) {
      port = options.port ?? (await freePort(settings.port));
      await startServer(directory, user, port, options.postgresFlags ?? []);
      await writeSettings(folder, { ...settings, port });
      options.log?.(`PostgreSQL started on 127.0.0.1:${port}`);
    }
    await ensureDatabase(urlOf(settings, port, 'postgres')).catch(async (error: unknown) => {
      await stopServer();
      throw error;
    });
    let stopped: Promise<void> | undefined;
    const stop = (): Promise<void> => (stopped ??= stopServer().finally(unlock));
    return { url: urlOf(settings, port, 'latchkey'), port, stop };
  } catch (error) {
    await unlock();
    throw error;
  }
}

const urlOf = ({ password }: Settings, port: number, database: string): string =>
  `postgresql://postgres:${password}@127.0.0.1:${port}/${database}`;

/** Settles who runs PostgreSQL, and that this user can get at its data. */
async function userFor(folder: string, directory: string): Promise<PostgresUser> {
  const owner = (await exists(directory)) ? (await stat(directory)).uid : undefined;
  const user = postgresUser(owner);
  const uid = user ? user.uid : process.getuid?.();
  if (owner !== undefined && uid !== undefined && owner !== uid)
    throw new Error(
      `${directory} belongs to another user (uid ${owner}): run Latchkey as that one, or set LATCHKEY_DATA_DIR.`,
    );
  // Our own folder may be passed through, its secrets are each readable by us only; folders above it are not ours to open.
  if (user) await chmod(folder, (await stat(folder)).mode | 0o011);
  await assertReachable(
    directory,
    user,
    'set LATCHKEY_DATA_DIR to a folder that it may enter, such as /var/lib/latchkey.',
  );
  return user;
}

/** Makes the data directory under another name first: a killed initdb leaves nothing that looks finished. */
async function initialize(folder: string, directory: string, settings: Settings, user: PostgresUser): Promise<void> {
  const unfinished = `${directory}.new`;
  const passwordFile = join(folder, 'postgres.password');
  await rm(unfinished, { recursive: true, force: true });
  await mkdir(unfinished, { mode: 0o700 });
  await writeFile(passwordFile, settings.password, { mode: 0o600 });
  if (user) for (const path of [unfinished, passwordFile]) await chown(path, user.uid, user.gid);
  const locale = ['--encoding=UTF8', '--locale=C', '--locale-provider=builtin', '--builtin-locale=C.UTF-8'];
  const access = ['--username=postgres', '--auth=scram-sha-256', `--pwfile=${passwordFile}`];
  try {
    await runPostgresProgram('initdb', ['-D', unfinished, ...access, ...locale], user, unfinished);
  } finally {
    await rm(passwordFile, { force: true });
  }
  await rename(unfinished, directory);
}

/** The port of a PostgreSQL that still serves this directory, once it answers; undefined if none does. */
async function takeOver(directory: string, settings: Settings, log: Options['log']): Promise<number | undefined> {
  const deadline = Date.now() + 60_000;
  for (;;) {
    const running = await runningPostgres(directory);
    if (!running) return undefined;
    if (running.port && (await answers(urlOf(settings, running.port, 'postgres'), directory))) {
      log?.(`PostgreSQL was still running on 127.0.0.1:${running.port}`);
      return running.port;
    }
    if (Date.now() > deadline)
      throw new Error(
        `The PostgreSQL of ${directory} (process ${running.pid}) runs but does not answer: end it and retry.`,
      );
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

/** False while it starts or stops. */
async function answers(url: string, directory: string): Promise<boolean> {
  const client = new Client({ connectionString: url, connectionTimeoutMillis: 5000 });
  client.on('error', () => undefined);
  try {
    await client.connect();
    const { rows } = await client.query<{ data_directory: string }>('SHOW data_directory');
    return rows[0]?.data_directory === directory;
  } catch (error) {
    // 28P01: it will not get better by waiting.
    if ((error as { code?: string }).code !== '28P01') return false;
    throw new Error(`The PostgreSQL of ${directory} refuses the password in postgres.json beside it.`);
  } finally {
    await client.end().catch(() => undefined);
  }
}

async function ensureDatabase(url: string): Promise<void> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    const { rowCount } = await client.query(`SELECT FROM pg_database WHERE datname = 'latchkey'`);
    if (rowCount === 0) await client.query('CREATE DATABASE latchkey');
  } finally {
    await client.end();
  }
}
