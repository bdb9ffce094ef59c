import { chmod, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { Client } from 'pg';
import { backUp } from '../../src/database/backup.js';
import { startEmbeddedPostgres } from '../../src/database/embeddedPostgres.js';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'latchkey-backup-'));
  await chmod(folder, 0o711);
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function query(url: string, text: string): Promise<unknown[]> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query<Record<string, unknown>>(text)).rows;
  } finally {
    await client.end();
  }
}

test('a stopped data folder is copied whole, and the copy starts with the same rows', async () => {
  const dataDir = join(folder, 'data');
  const postgres = await startEmbeddedPostgres({ dataDir });
  await query(postgres.url, 'CREATE TABLE kept AS SELECT 42 AS answer');
  await expect(backUp(dataDir, join(folder, 'running'))).rejects.toThrow('is in use by another Latchkey');
  await postgres.stop();
  await writeFile(join(dataDir, 'secrets.json'), '{"hmac":"…"}', { mode: 0o600 });
  await backUp(dataDir, join(folder, 'copy'));
  expect((await readdir(join(folder, 'copy'))).sort()).toEqual((await readdir(dataDir)).sort());
  expect(await readFile(join(folder, 'copy', 'secrets.json'), 'utf8')).toBe('{"hmac":"…"}');
  const restored = await startEmbeddedPostgres({ dataDir: join(folder, 'copy') });
  expect(await query(restored.url, 'SELECT answer FROM kept')).toEqual([{ answer: 42 }]);
  await restored.stop();
});

test('a target that is not empty and a folder that is not there are refused', async () => {
  await expect(backUp(join(folder, 'data'), folder)).rejects.toThrow('is not empty');
  await expect(backUp(join(folder, 'nowhere'), join(folder, 'b'))).rejects.toThrow('there is no data folder');
});
