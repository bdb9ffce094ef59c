import { chmod, chown, cp, mkdir, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { lockDataFolder } from './lockDataFolder.js';

/**
 * Copies the data folder of a server that is stopped: database, secrets, mails. A running one is refused, because files that
 * change while they are copied are no backup.
 * @param dataDir the data folder
 * @param target a folder that does not exist yet or is empty
 * @throws Error saying what stands in the way
 */
export async function backUp(dataDir: string, target: string): Promise<void> {
  if (!(await stat(dataDir).catch(() => null))) throw new Error(`there is no data folder ${dataDir}.`);
  await mkdir(target, { recursive: true });
  if ((await readdir(target)).length > 0) throw new Error(`${target} is not empty: name a new folder.`);
  const release = await lockDataFolder(dataDir);
  try {
    // A server whose owner was killed may live on: its files would change under the copy.
    const running = await stat(join(dataDir, 'postgres', 'postmaster.pid')).catch(() => null);
    if (running)
      throw new Error('the embedded PostgreSQL did not stop cleanly: start Latchkey once and stop it, then try again.');
    await cp(dataDir, target, { recursive: true, preserveTimestamps: true });
    await keepOwners(dataDir, target);
  } finally {
    await release();
  }
}

/** A copy made by root belongs to root, and PostgreSQL would refuse it: gives everything its owner and mode again. */
async function keepOwners(from: string, to: string): Promise<void> {
  const names = await readdir(from, { recursive: true });
  for (const name of ['', ...names]) {
    const { uid, gid, mode } = await stat(join(from, name));
    if (process.getuid?.() === 0) await chown(join(to, name), uid, gid);
    await chmod(join(to, name), mode);
  }
}

/** `npm run backup -- <folder>`. */
async function main(): Promise<void> {
  const target = process.argv[2];
  if (!target) throw new Error('name the folder to copy to: npm run backup -- <folder>');
  const dataDir = process.env.LATCHKEY_DATA_DIR || '.data';
  await backUp(dataDir, target);
  console.log(`copied ${dataDir} to ${target}; to restore it, copy it back while Latchkey is stopped`);
}

if (process.argv[1]?.endsWith('backup.ts')) {
  main().catch((error: Error) => {
    console.error(`backup failed: ${error.message}`);
    process.exitCode = 1;
  });
}
