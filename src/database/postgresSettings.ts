import { randomBytes } from 'node:crypto';
import { readFile, rename, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** What `postgres.json` keeps of an embedded PostgreSQL. */
export interface Settings {
  /** Of the superuser `postgres`. */
  password: string;
  /** On which it listened last; 0 before the first start. */
  port: number;
}

/** @returns the settings of the data folder `folder`; new ones, if PostgreSQL's own `directory` in it is yet to be made */
export async function readSettings(folder: string, directory: string): Promise<Settings> {
  const file = join(folder, 'postgres.json');
  if (await exists(file)) return JSON.parse(await readFile(file, 'utf8')) as Settings;
  if (await exists(directory))
    throw new Error(`${file}, which holds the password of the database beside it, is missing.`);
  const settings = { password: randomBytes(24).toString('hex'), port: 0 };
  await writeSettings(folder, settings);
  return settings;
}

/** Written beside and renamed, so that a crash leaves the old file or the new one. */
export async function writeSettings(folder: string, settings: Settings): Promise<void> {
  const file = join(folder, 'postgres.json');
  await writeFile(`${file}.new`, `${JSON.stringify(settings)}\n`, { mode: 0o600 });
  await rename(`${file}.new`, file);
}

export const exists = (path: string): Promise<boolean> =>
  stat(path).then(
    () => true,
    () => false,
  );
