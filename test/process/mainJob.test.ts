import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { Api } from '../support/api.js';
import { newBusiness } from '../support/business.js';
import { cloneDatabase, type TestDatabase } from '../support/database.js';
import { remoteApi } from '../support/remoteApi.js';
import { endServerProcesses, startServerProcess } from '../support/serverProcess.js';
import { startSmtpServer } from '../support/smtp.js';
import { waitUntil } from '../support/waitUntil.js';
import { newWorld } from '../support/world.js';

const fulfill = `mutation ($input: FulfillLicenseKeyGrantInput!) {
  fulfillLicenseKeyGrant(input: $input) { grant { status deliveries { id status } } userErrors { code message } }
}`;

let clone: TestDatabase;
let dataDir: string;

beforeAll(async () => {
  clone = await cloneDatabase();
  dataDir = await mkdtemp(join(tmpdir(), 'latchkey-job-'));
});
afterAll(async () => {
  await endServerProcesses();
  await clone.drop();
  await rm(dataDir, { recursive: true, force: true });
});

/** A pending grant of a customer who bought. */
async function pendingGrant(api: Api, token: string): Promise<string> {
  await newWorld(api, token);
  const { pendingGrants } = await api.data({ token, query: '{ pendingGrants(first: 1) { nodes { id } } }' });
  return pendingGrants.nodes[0].id;
}

test('bought from a wallet, fulfilled by hand: the customer gets a real mail with the key', async () => {
  const smtp = await startSmtpServer();
  const server = await startServerProcess({ DATABASE_URL: clone.url, SMTP_URL: smtp.url });
  const api = remoteApi(server.url) as Api;
  const { live } = await newBusiness(api);
  const grantId = await pendingGrant(api, live);
  const input = { grantId, key: ' HAND-MADE-0001 ' };
  const { fulfillLicenseKeyGrant } = await api.data({ token: live, query: fulfill, variables: { input } });
  expect(fulfillLicenseKeyGrant).toEqual({
    grant: { status: 'DELIVERED', deliveries: [{ id: expect.stringMatching(/^dlv_/), status: 'QUEUED' }] },
    userErrors: [],
  });
  const mailed = () => smtp.mails.filter(({ mail }) => mail.text?.includes('\nHAND-MADE-0001\n'));
  await waitUntil('the mail arrives', async () => mailed().length > 0);
  expect(mailed()[0]?.recipients).toEqual(['erika@example.com']);
  const [{ id }] = fulfillLicenseKeyGrant.grant.deliveries;
  await waitUntil('the delivery is marked', async () => {
    const { delivery } = await api.data({
      token: live,
      query: 'query ($id: ID!) { delivery(id: $id) { status } }',
      variables: { id },
    });
    return delivery.status === 'SENT';
  });
  expect(mailed()).toHaveLength(1);
  expect(server.output()).not.toContain('HAND-MADE-0001');
  expect(await server.end('SIGTERM')).toBe(0);
  await smtp.stop();
});

test('without a mail server the mail is kept; reading its text is reading the key, and recorded', async () => {
  const server = await startServerProcess({ DATABASE_URL: clone.url, LATCHKEY_DATA_DIR: dataDir });
  const api = remoteApi(server.url) as Api;
  const { live } = await newBusiness(api);
  const grantId = await pendingGrant(api, live);
  const input = { grantId, key: 'HAND-MADE-0002' };
  const { fulfillLicenseKeyGrant } = await api.data({ token: live, query: fulfill, variables: { input } });
  const [{ id }] = fulfillLicenseKeyGrant.grant.deliveries;
  const ask = async (fields: string) =>
    (await api.data({ token: live, query: `query ($id: ID!) { delivery(id: $id) { ${fields} } }`, variables: { id } }))
      .delivery;
  await waitUntil('the mail is kept', async () => (await ask('status')).status === 'SENT');
  const version = async () => (await ask('grant { licenseKey { version } }')).grant.licenseKey.version as number;
  expect(await version()).toBe(1);
  expect((await ask('text')).text).toContain('\nHAND-MADE-0002\n');
  expect(await version()).toBe(2);
  expect(await server.end('SIGTERM')).toBe(0);
});
