import { expect, test } from '@jest/globals';
import { serverAudits } from 'graphql-http';
import { startServer } from './startServer.js';

test('GraphQL over HTTP: all audits of graphql-http pass', async () => {
  const server = await startServer();
  // A browser page cannot send this header without asking first; without it three optional audits of GET fail, as they should.
  const fetchFn = (url: string, options: RequestInit = {}) =>
    fetch(url, { ...options, headers: { ...options.headers, 'apollo-require-preflight': '1' } });
  try {
    const failed: string[] = [];
    let passed = 0;
    for (const audit of serverAudits({ url: `${server.url}/graphql`, fetchFn })) {
      const result = await audit.fn();
      if (result.status === 'ok') passed += 1;
      else failed.push(`${audit.id} ${audit.name}: ${result.reason}`);
    }
    expect(failed).toEqual([]);
    expect(passed).toBe(61);
  } finally {
    await server.close();
  }
});
