import { existsSync } from 'node:fs';
import { expect, test } from '@jest/globals';
import { chromium } from 'playwright-core';
import { startServer } from './startServer.js';

const browserPath = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find(
  (path) => path !== undefined && existsSync(path),
);

test('GraphiQL is compressed and cached', async () => {
  const server = await startServer();
  try {
    const page = await fetch(`${server.url}/graphiql`);
    expect(page.headers.get('content-encoding')).toBe('gzip');
    expect(await page.text()).toContain('YogaGraphiQL');
    const again = await fetch(`${server.url}/graphiql`, { headers: { 'if-none-match': page.headers.get('etag')! } });
    expect([again.status, await again.text()]).toEqual([304, '']);
  } finally {
    await server.close();
  }
});

(browserPath === undefined ? test.skip : test)(
  'GraphiQL runs a query in a browser and asks nothing of other hosts (skipped when no Chromium is installed)',
  async () => {
    const server = await startServer();
    const flags = [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ];
    const browser = await chromium.launch({ executablePath: browserPath!, headless: true, args: flags });
    try {
      const page = await browser.newPage();
      const outside: string[] = [];
      const problems: string[] = [];
      page.on('request', (request) => {
        if (!request.url().startsWith(server.url) && !/^(blob|data):/.test(request.url())) outside.push(request.url());
      });
      page.on('requestfailed', (request) => problems.push(`${request.url()} failed`));
      page.on('pageerror', (error) => problems.push(String(error)));
      page.on('console', (message) => {
        if (/Content.Security.Policy/i.test(message.text())) problems.push(message.text());
      });
      const introspected = page.waitForResponse((response) => response.url().endsWith('/graphql'));
      await page.goto(`${server.url}/graphiql?query=${encodeURIComponent('{ hello }')}`);
      expect((await introspected).status()).toBe(200);
      await page.getByRole('button', { name: /execute query/i }).click();
      await page.getByText('"world"').waitFor();
      expect({ outside, problems }).toEqual({ outside: [], problems: [] });
    } finally {
      await browser.close();
      await server.close();
    }
  },
);
