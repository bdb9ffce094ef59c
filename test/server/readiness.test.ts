import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { readConfig } from '../../src/config.js';
import { openDatabase } from '../../src/kernel/database.js';
import { keyringOf } from '../../src/keyring.js';
import { readinessOf } from '../../src/readiness.js';
import { cloneDatabase } from '../support/database.js';

const open = (url: string) => openDatabase({ url, readConnections: 1, writeConnections: 1 });

test('a process is ready when its database answers and tells the same time', async () => {
  const { url, drop } = await cloneDatabase();
  const db = open(url);
  expect(await readinessOf(db)).toEqual({ ok: true, reasons: [] });
  // A clock of the database's own that is two seconds ahead, found before the built-in one.
  await db.sql(
    null,
    `CREATE FUNCTION public.clock_timestamp() RETURNS timestamptz LANGUAGE sql AS $$ SELECT pg_catalog.clock_timestamp() + interval '2 s' $$`,
    [],
  );
  const skewed = open(`${url}?options=${encodeURIComponent('-c search_path=public,pg_catalog')}`);
  const { ok, reasons } = await readinessOf(skewed);
  expect([ok, reasons]).toEqual([
    false,
    [expect.stringMatching(/^the clock differs from the database's by (1\d{3}|20\d\d) ms$/)],
  ]);
  await Promise.all([db.close(), skewed.close()]);
  await drop();
  const gone = open(url);
  expect(await readinessOf(gone)).toEqual({ ok: false, reasons: ['the database does not answer'] });
  await gone.close();
});

test('without configured secrets the data folder gets its own, once, for its owner only', async () => {
  const dataDir = await mkdtemp(join(tmpdir(), 'latchkey-keys-'));
  const config = readConfig({ NODE_ENV: 'development', LATCHKEY_DATA_DIR: dataDir });
  const first = keyringOf(config);
  expect([
    first.hmac.currentId,
    first.hmac.keys.get('local')?.length,
    first.encryption.keys.get('local')?.length,
  ]).toEqual(['local', 32, 32]);
  expect(keyringOf(config)).toEqual(first);
  expect(first.hmac.keys.get('local')?.equals(first.encryption.keys.get('local') as Buffer)).toBe(false);
  expect((await stat(join(dataDir, 'secrets.json'))).mode & 0o777).toBe(0o600);
  expect(Object.keys(JSON.parse(await readFile(join(dataDir, 'secrets.json'), 'utf8')) as object)).toEqual([
    'hmac',
    'encryption',
  ]);
  await rm(dataDir, { recursive: true });
});
