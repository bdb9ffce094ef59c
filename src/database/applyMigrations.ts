import { createHash, randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Logger, runMigrations } from 'graphile-worker';
import { Client } from 'pg';

interface Migration {
  name: string;
  sql: string;
  /** What Prisma keeps: SHA-256 of the file, in hex. */
  checksum: string;
}

/** The advisory lock that `prisma migrate` takes, so that it and we never migrate one database at once. */
const prismaMigrateLock = 72707369;

const migrationsTable = `
  CREATE TABLE IF NOT EXISTS _prisma_migrations (
    id varchar(36) PRIMARY KEY NOT NULL,
    checksum varchar(64) NOT NULL,
    finished_at timestamptz,
    migration_name varchar(255) NOT NULL,
    logs text,
    rolled_back_at timestamptz,
    started_at timestamptz NOT NULL DEFAULT now(),
    applied_steps_count integer NOT NULL DEFAULT 0
  )`;

/**
 * Brings a database up to date: the migrations in Prisma's folder format, recorded in Prisma's own table so that
 * `prisma migrate deploy` agrees, then the job queue's schema. Any number of processes may call it at once; one works, the
 * others wait. Each migration is one transaction with its record, so a failure leaves nothing of it behind. Records of
 * migrations that are not in the folder are those of a newer release and are left alone.
 * @param url a direct connection, not one through a transaction pooler: the lock belongs to the session
 * @param directory holds `<timestamp_name>/migration.sql`; default: the project's `prisma/migrations`
 * @returns the names of the migrations that this call applied, in order
 * @throws Error that names the migration, if one fails, was changed after it was applied, or was left unfinished by Prisma
 */
export async function applyMigrations(url: string, directory = projectMigrations()): Promise<string[]> {
  const migrations = await readMigrations(directory);
  const client = new Client({ connectionString: url });
  // A connection that breaks shows in the next query; without a listener it would end the process.
  client.on('error', () => undefined);
  await client.connect();
  try {
    await client.query('SELECT pg_advisory_lock($1)', [prismaMigrateLock]);
    await client.query(migrationsTable);
    const pending = await pendingMigrations(client, migrations);
    for (const migration of pending) await applyMigration(client, migration);
    await runMigrations({ connectionString: url, maxPoolSize: 1, logger: new Logger(() => () => undefined) });
    await client.query('SELECT pg_advisory_unlock($1)', [prismaMigrateLock]);
    return pending.map(({ name }) => name);
  } finally {
    await client.end();
  }
}

/** `prisma/migrations` of the folder that holds package.json: two levels above src/database, three above dist/src/database. */
function projectMigrations(): string {
  for (let folder = dirname(fileURLToPath(import.meta.url)); folder !== dirname(folder); folder = dirname(folder)) {
    const migrations = join(folder, 'prisma', 'migrations');
    if (existsSync(join(folder, 'package.json')) && existsSync(migrations)) return migrations;
  }
  throw new Error('The folder prisma/migrations is missing beside package.json.');
}

async function readMigrations(directory: string): Promise<Migration[]> {
  const entries = await readdir(directory, { withFileTypes: true });
  const names = entries.filter((entry) => entry.isDirectory()).map((entry) => entry.name);
  return await Promise.all(
    names.sort().map(async (name) => {
      // A checkout on Windows may turn line ends into CRLF; the migration is the same.
      const sql = (await readFile(join(directory, name, 'migration.sql'), 'utf8')).replaceAll('\r\n', '\n');
      return { name, sql, checksum: createHash('sha256').update(sql).digest('hex') };
    }),
  );
}

async function pendingMigrations(client: Client, migrations: Migration[]): Promise<Migration[]> {
  const { rows } = await client.query<{ name: string; checksum: string; finished: boolean }>(
    `SELECT migration_name AS name, checksum, finished_at IS NOT NULL AS finished
     FROM _prisma_migrations WHERE rolled_back_at IS NULL`,
  );
  const records = new Map(rows.map((row) => [row.name, row]));
  for (const { name, finished } of rows)
    if (!finished) throw new Error(`Migration ${name} was left unfinished: see \`prisma migrate resolve\`.`);
  return migrations.filter(({ name, checksum }) => {
    const record = records.get(name);
    if (record && record.checksum !== checksum)
      throw new Error(
        `Migration ${name} was changed after it was applied: restore it, and make the change in a new one.`,
      );
    return !record;
  });
}

async function applyMigration(client: Client, { name, sql, checksum }: Migration): Promise<void> {
  try {
    await client.query('BEGIN');
    await client.query(sql);
    await client.query(
      `INSERT INTO _prisma_migrations (id, checksum, migration_name, started_at, finished_at, applied_steps_count)
       VALUES ($1, $2, $3, now(), clock_timestamp(), 1)`,
      [randomUUID(), checksum, name],
    );
    await client.query('COMMIT');
  } catch (error) {
    await client.query('ROLLBACK').catch(() => undefined);
    throw new Error(`Migration ${name} failed: ${(error as Error).message}`, { cause: error });
  }
}
