import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { Client } from 'pg';
import { cloneDatabase, emptyDatabase, type TestDatabase } from '../support/database.js';
import { describeTables } from './describeTables.js';
import { sqlOfPrismaSchema } from './sqlOfPrismaSchema.js';

/** How the migrated tables differ from those that prisma/schema.prisma describes; both empty when they agree. */
interface Drift {
  onlyInMigrations: string[];
  onlyInSchema: string[];
}

/** Migrations may add these, as Prisma's client needs no word of them; those that the schema names must exist all the same. */
const migrationsAlone = /^(foreign key|index) |^column \S+ \w+range\b/;

const none: Drift = { onlyInMigrations: [], onlyInSchema: [] };
const databases: TestDatabase[] = [];
let schemaLines: string[];

beforeAll(async () => {
  const schema = await readFile(new URL('../../prisma/schema.prisma', import.meta.url), 'utf8');
  schemaLines = await describeTables(await databaseOf(schema));
});

afterAll(async () => {
  await Promise.all(databases.map((database) => database.drop()));
});

test('the migrations make the tables of schema.prisma', async () => {
  expect(schemaLines.length).toBeGreaterThan(10);
  expect(await driftAfter()).toEqual(none);
});

test('a dropped, an added, a retyped and a nullable column are found', async () => {
  const [column] = schemaLines.filter((line) => /^column \S+ text NOT NULL$/.test(line));
  const [, table, name] = /^column (\S+)\.(\S+)/.exec(column!)!;
  const alter = (change: string): Promise<Drift> => driftAfter(`ALTER TABLE ${table} ${change}`);
  expect((await alter(`DROP COLUMN ${name} CASCADE`)).onlyInSchema).toContain(column);
  expect(await alter('ADD COLUMN stray integer NOT NULL DEFAULT 3')).toEqual({
    ...none,
    onlyInMigrations: [`column ${table}.stray integer NOT NULL DEFAULT 3`],
  });
  expect(await alter(`ALTER COLUMN ${name} DROP NOT NULL`)).toEqual({
    onlyInMigrations: [`column ${table}.${name} text`],
    onlyInSchema: [column],
  });
});

test('a lost key, a stray table and a new enum value are found', async () => {
  const index = schemaLines.find((line) => line.startsWith('index '))!;
  const [, indexName] = /INDEX (\S+) ON/.exec(index)!;
  expect((await driftAfter(`ALTER INDEX ${indexName} RENAME TO stray_index`)).onlyInSchema).toEqual([index]);
  expect((await driftAfter('CREATE TABLE stray ()')).onlyInMigrations).toEqual(['table stray']);
  const [, enumName, values] = /^enum (\S+): (.*)/.exec(schemaLines.find((line) => line.startsWith('enum '))!)!;
  expect(await driftAfter(`ALTER TYPE ${enumName} ADD VALUE 'STRAY'`)).toEqual({
    onlyInMigrations: [`enum ${enumName}: ${values} STRAY`],
    onlyInSchema: [`enum ${enumName}: ${values}`],
  });
});

test('what a Prisma schema cannot say is no drift', async () => {
  const table = schemaLines.find((line) => line.startsWith('table '))!.slice('table '.length);
  const drift = await driftAfter(`
    ALTER TABLE ${table} ADD COLUMN stray boolean GENERATED ALWAYS AS (true) STORED, ADD CHECK (true);
    CREATE INDEX ON ${table} (stray) WHERE stray;
    CREATE INDEX ON ${table} ((NOT stray))`);
  expect(drift).toEqual(none);
});

/** Compares a clone of the migrated database, changed by `sql`, with the schema. */
async function driftAfter(sql = ''): Promise<Drift> {
  const database = await cloneDatabase();
  databases.push(database);
  await execute(database.url, sql);
  const migrated = await describeTables(database.url);
  return {
    onlyInMigrations: migrated.filter((line) => !schemaLines.includes(line) && !migrationsAlone.test(line)),
    onlyInSchema: schemaLines.filter((line) => !migrated.includes(line)),
  };
}

/** @returns the URL of a database with the tables that Prisma makes for a schema */
async function databaseOf(schema: string): Promise<string> {
  const database = await emptyDatabase();
  databases.push(database);
  await execute(database.url, await sqlOfPrismaSchema(schema));
  return database.url;
}

async function execute(url: string, sql: string): Promise<void> {
  const client = new Client({ connectionString: url });
  await client.connect();
  await client.query(sql).finally(() => client.end());
}
