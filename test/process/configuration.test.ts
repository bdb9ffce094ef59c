import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { afterAll, expect, test } from '@jest/globals';
import { testEnvironment } from '../support/api.js';
import { cloneDatabase } from '../support/database.js';
import { endServerProcesses, runProgram, startServerProcess } from '../support/serverProcess.js';

afterAll(endServerProcesses);

async function failingStart(environment: Record<string, string>): Promise<{ code: number; lines: string[] }> {
  const child = await runProgram('src/main', environment);
  const [errors, output, [code]] = await Promise.all([
    text(child.stderr as Readable),
    text(child.stdout as Readable),
    once(child, 'exit') as Promise<[number]>,
  ]);
  return { code, lines: `${errors}${output}`.trim().split('\n') };
}

test('production without a database or secrets ends at once with one line that says what is missing', async () => {
  const { code, lines } = await failingStart({ NODE_ENV: 'production' });
  expect(code).toBe(1);
  expect(lines).toEqual([expect.stringMatching(/DATABASE_URL.*LATCHKEY_HMAC_KEYS|LATCHKEY_HMAC_KEYS.*DATABASE_URL/)]);
});

test('a secret that is not the one which the data was made with keeps the server from starting', async () => {
  const { url, drop } = await cloneDatabase();
  const environment = { ...testEnvironment, DATABASE_URL: url, LATCHKEY_LOG_LEVEL: 'info' };
  const right = await startServerProcess(environment);
  expect(await right.end('SIGTERM')).toBe(0);
  const { code, lines } = await failingStart({
    ...environment,
    LATCHKEY_HMAC_KEYS: `h1:${Buffer.alloc(32, 9).toString('base64')}`,
  });
  await drop();
  expect(code).toBe(1);
  expect(lines.join('\n')).toContain(
    'LATCHKEY_HMAC_KEYS: the key \\"h1\\" is not the one that the stored data was made with',
  );
});

test('without a database of its own the server brings one, keeps its data over a restart, and leaves nothing running', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'latchkey-start-'));
  const environment = { LATCHKEY_DATA_DIR: folder, NODE_ENV: 'development' };
  const first = await startServerProcess(environment);
  expect(await first.end('SIGTERM')).toBe(0);
  const again = await startServerProcess(environment);
  expect(await again.end('SIGKILL')).toBeNull();
  const after = await startServerProcess(environment);
  expect((await fetch(`${after.url}/livez`)).status).toBe(200);
  expect(await after.end('SIGTERM')).toBe(0);
  await rm(folder, { recursive: true, force: true });
});

test('a reader of the log that goes away does not end the server', async () => {
  const { url, drop } = await cloneDatabase();
  const server = await startServerProcess({ DATABASE_URL: url });
  server.process.stdout?.destroy();
  server.process.stderr?.destroy();
  for (let i = 0; i < 20; i++) expect((await fetch(`${server.url}/graphql`)).status).toBeLessThan(500);
  expect((await fetch(`${server.url}/readyz`)).status).toBe(200);
  expect(await server.end('SIGTERM')).toBe(0);
  await drop();
});
