import { randomBytes } from 'node:crypto';
import { Client } from 'pg';

export interface TestDatabase {
  url: string;
  /** Ends its connections and removes it. */
  drop(): Promise<void>;
}

/** A migrated database of one's own, without rows: a copy of the template. */
export async function cloneDatabase(): Promise<TestDatabase> {
  // Copying files beats logging their content, as the test server does not sync. Copies of one template may run at once;
  // only a connection to it would be in their way, and globalSetup allows none.
  return await createDatabase('TEMPLATE latchkey_template STRATEGY file_copy');
}

/** An empty database of one's own. */
export async function emptyDatabase(): Promise<TestDatabase> {
  return await createDatabase('TEMPLATE template0');
}

async function createDatabase(options: string): Promise<TestDatabase> {
  const name = `test_${randomBytes(8).toString('hex')}`;
  await administer(`CREATE DATABASE ${name} ${options}`);
  const url = adminUrl();
  url.pathname = `/${name}`;
  return { url: url.href, drop: () => administer(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`) };
}

function adminUrl(): URL {
  const url = process.env.LATCHKEY_TEST_DATABASE_URL;
  if (!url) throw new Error('LATCHKEY_TEST_DATABASE_URL is missing: run this through jest, whose globalSetup sets it.');
  return new URL(url);
}

async function administer(sql: string): Promise<void> {
  const client = new Client({ connectionString: adminUrl().href });
  await client.connect();
  try {
    await client.query(sql);
  } finally {
    await client.end();
  }
}
