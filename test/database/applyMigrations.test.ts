import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { Client } from 'pg';
import { applyMigrations } from '../../src/database/applyMigrations.js';
import { emptyDatabase, type TestDatabase } from '../support/database.js';

const first = 'CREATE TABLE apples (id integer);\nINSERT INTO apples VALUES (1);\n';
const second = 'ALTER TABLE apples ADD COLUMN color text;\n';

let database: TestDatabase;
let directory: string;

beforeEach(async () => {
  database = await emptyDatabase();
  directory = await mkdtemp(join(tmpdir(), 'latchkey-migrations-'));
  await writeFile(join(directory, 'migration_lock.toml'), 'provider = "postgresql"\n');
  await write('20260101000000_first', first);
});

afterEach(async () => {
  await database.drop();
  await rm(directory, { recursive: true });
});

test('applies what is new, in order, and records it as Prisma does', async () => {
  await write('20260102000000_second', second);
  expect(await apply()).toEqual(['20260101000000_first', '20260102000000_second']);
  expect(
    await rows(`
      SELECT migration_name, checksum, logs, rolled_back_at, applied_steps_count, length(id) AS id,
        finished_at >= started_at AS finished
      FROM _prisma_migrations ORDER BY started_at`),
  ).toEqual([
    { migration_name: '20260101000000_first', checksum: sha256(first), ...recorded },
    { migration_name: '20260102000000_second', checksum: sha256(second), ...recorded },
  ]);
  expect(await apply()).toEqual([]);
  expect(await rows('SELECT * FROM apples')).toEqual([{ id: 1, color: null }]);
});

test("makes the job queue's schema", async () => {
  await apply();
  expect(await rows(`SELECT count(*)::int FROM graphile_worker.jobs`)).toEqual([{ count: 0 }]);
});

test('a later migration is applied alone', async () => {
  await apply();
  await write('20260102000000_second', second);
  expect(await apply()).toEqual(['20260102000000_second']);
});

test('of five at once, one applies', async () => {
  const applied = await Promise.all(Array.from({ length: 5 }, apply));
  expect(applied.flat()).toEqual(['20260101000000_first']);
  expect(await rows('SELECT * FROM apples')).toEqual([{ id: 1 }]);
});

test('a migration that was changed after it was applied is refused', async () => {
  await apply();
  await write('20260101000000_first', `${first}-- changed`);
  await write('20260102000000_second', second);
  await expect(apply()).rejects.toThrow('Migration 20260101000000_first was changed after it was applied');
  expect(await rows('SELECT * FROM apples')).toEqual([{ id: 1 }]);
});

test('line ends of another system are no change', async () => {
  await apply();
  await write('20260101000000_first', first.replaceAll('\n', '\r\n'));
  expect(await apply()).toEqual([]);
});

test('a migration that fails leaves nothing, and applies once it is mended', async () => {
  await write('20260102000000_second', `${second} CREATE TABLE pears (id integer); SELECT 1 / 0;`);
  await expect(apply()).rejects.toThrow('Migration 20260102000000_second failed: division by zero');
  expect(await rows('SELECT migration_name FROM _prisma_migrations')).toEqual([
    { migration_name: '20260101000000_first' },
  ]);
  expect(await rows(`SELECT to_regclass('pears') AS pears`)).toEqual([{ pears: null }]);
  expect(await rows('SELECT * FROM apples')).toEqual([{ id: 1 }]);
  await write('20260102000000_second', second);
  expect(await apply()).toEqual(['20260102000000_second']);
});

test('a migration that Prisma left unfinished is reported; one that it rolled back is applied', async () => {
  await apply();
  await rows(`UPDATE _prisma_migrations SET finished_at = NULL`);
  await expect(apply()).rejects.toThrow('Migration 20260101000000_first was left unfinished');
  await rows(`UPDATE _prisma_migrations SET rolled_back_at = now()`);
  await rows('DROP TABLE apples');
  expect(await apply()).toEqual(['20260101000000_first']);
});

test('migrations of a newer release are left alone', async () => {
  await write('20260102000000_second', second);
  await apply();
  await rm(join(directory, '20260102000000_second'), { recursive: true });
  expect(await apply()).toEqual([]);
});

const recorded = { logs: null, rolled_back_at: null, applied_steps_count: 1, id: 36, finished: true };

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');

const apply = (): Promise<string[]> => applyMigrations(database.url, directory);

async function write(name: string, sql: string): Promise<void> {
  await mkdir(join(directory, name), { recursive: true });
  await writeFile(join(directory, name, 'migration.sql'), sql);
}

async function rows(sql: string): Promise<unknown[]> {
  const client = new Client({ connectionString: database.url });
  await client.connect();
  return await client
    .query(sql)
    .then((result) => result.rows as unknown[])
    .finally(() => client.end());
}
