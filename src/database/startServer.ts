import { readFile, rename } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { runPostgresProgram, type PostgresUser } from './postgresPrograms.js';
import { exists } from './postgresSettings.js';
import { disownStalePidFile } from './runningPostgres.js';

const serverSettings = [
  'listen_addresses=127.0.0.1',
  'unix_socket_directories=',
  'max_connections=200',
  'timezone=UTC',
  'log_timezone=UTC',
  'log_checkpoints=off',
];

/** Starts PostgreSQL and waits until it accepts connections. */
export async function startServer(
  directory: string,
  user: PostgresUser,
  port: number,
  postgresFlags: string[],
): Promise<void> {
  const log = join(directory, 'server.log');
  // Two logs, of this start and of the one before: what a crash said is kept, and nothing grows for ever.
  if (await exists(log)) await rename(log, `${log}.1`);
  const flags = ['-p', String(port), ...serverSettings.flatMap((setting) => ['-c', setting])];
  const command = [...flags, ...postgresFlags].map((flag) => `"${flag}"`).join(' ');
  const args = ['start', '-D', directory, '-l', log, '-w', '-t', '60', '-s', '-o', command];
  const deadline = Date.now() + 30_000;
  for (;;) {
    await disownStalePidFile(directory);
    try {
      await runPostgresProgram('pg_ctl', args, user, directory);
      break;
    } catch (error) {
      const last = (await readFile(log, 'utf8').catch(() => '')).trim().split('\n').slice(-5).join(' | ');
      // The sessions of a killed server end by themselves, but not in the same instant.
      if (!last.includes('pre-existing shared memory block') || Date.now() > deadline)
        throw new Error(`The embedded PostgreSQL did not start: ${last || (error as Error).message}`);
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
}

/** `port` if nothing listens on it on the loopback, else any port that is free there. */
export async function freePort(port: number): Promise<number> {
  return await listenOnce(port).catch(() => listenOnce(0));
}

function listenOnce(port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer().once('error', reject);
    server.listen(port, '127.0.0.1', () => {
      const { port: free } = server.address() as AddressInfo;
      server.close(() => resolve(free));
    });
  });
}
