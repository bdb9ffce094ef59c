import { Agent, request } from 'node:http';
import { expect, test } from '@jest/globals';
import { startServer } from './startServer.js';

/** Status of a request over an agent's connection. */
function statusOver(agent: Agent, url: string): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    request(url, { agent }, (response) => response.resume().on('end', () => resolve(response.statusCode)))
      .on('error', reject)
      .end();
  });
}

test('closing finishes what is in flight and takes nothing new', async () => {
  const server = await startServer();
  const inFlight = server.ask('{ wait }');
  await server.waiting;
  const closed = server.close();
  const late = await fetch(`${server.url}/livez`).then(
    (response) => response.status,
    () => 'refused',
  );
  expect([503, 'refused']).toContain(late);
  server.release();
  expect(await inFlight).toMatchObject({ status: 200, data: { wait: 'released' } });
  await closed;
});

test('a request that comes over an open connection while closing gets 503', async () => {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const server = await startServer();
  const query = `${server.url}/graphql?query=${encodeURIComponent('{ wait }')}`;
  const answers = new Promise<number | undefined>((resolve, reject) => {
    const headers = { 'apollo-require-preflight': '1' };
    request(query, { agent, headers }, (response) => response.resume().on('end', () => resolve(response.statusCode)))
      .on('error', reject)
      .end();
  });
  await server.waiting;
  const late = statusOver(agent, `${server.url}/readyz`).catch((error: NodeJS.ErrnoException) => error.code);
  const closed = server.close();
  server.release();
  expect(await answers).toBe(200);
  expect([503, 'ECONNREFUSED', 'ECONNRESET']).toContain(await late);
  await closed;
  agent.destroy();
});

test('not ready says why, and so do checks that fail', async () => {
  const reasons = ['the clock is 2.1 s ahead of the database'];
  const behind = await startServer({ ready: async () => ({ ok: false, reasons }) });
  const failing = await startServer({ ready: () => Promise.reject(new Error('secret address')) });
  const first = await fetch(`${behind.url}/readyz`);
  expect([first.status, await first.json()]).toEqual([503, { status: 'unavailable', reasons }]);
  const second = await fetch(`${failing.url}/readyz`);
  expect([second.status, await second.json()]).toEqual([
    503,
    { status: 'unavailable', reasons: ['the checks failed'] },
  ]);
  await behind.close();
  await failing.close();
});
