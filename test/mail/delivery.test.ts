import { mkdtempSync, rmSync } from 'node:fs';
import { readdir, readFile, rename, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import PostalMime from 'postal-mime';
import type { Worker } from '../../src/worker.js';
import { useApi } from '../support/api.js';
import { newApiKey, newBusiness, newSession } from '../support/business.js';
import { waitUntil } from '../support/waitUntil.js';
import { newDelivery, newWorker, type TestDelivery } from './mailing.js';

const dataDir = mkdtempSync(join(tmpdir(), 'latchkey-mail-'));
const environment = { LATCHKEY_DATA_DIR: dataDir };
const api = useApi(environment);
let worker: Worker;

beforeAll(async () => {
  worker = await newWorker(api, environment, { clock: () => new Date('2026-05-01T10:00:00.000Z') });
});
afterAll(async () => {
  await worker.stop();
  rmSync(dataDir, { recursive: true, force: true });
});

const query = `query ($id: ID!) {
  delivery(id: $id) {
    id recipient template status failure attempts response sentAt text grant { id } createdAt updatedAt
  }
}`;

async function sent(delivery: TestDelivery): Promise<void> {
  await waitUntil('the mail is kept', async () => (await delivery.row()).status === 'SENT');
}

test('without a mail server, mails are files, and the API shows what they say', async () => {
  const business = await newBusiness(api);
  const delivery = await newDelivery(api, business, 'erika@example.com');
  worker.wake();
  await sent(delivery);
  const row = await delivery.row();
  expect(row).toMatchObject({ attempts: 1, response: null, file: `mail/${delivery.id}.eml` });
  const path = join(dataDir, row.file as string);
  expect((await stat(path)).mode & 0o777).toBe(0o600);
  expect((await stat(path.replace('.eml', '.txt'))).mode & 0o777).toBe(0o600);
  const mail = await PostalMime.parse(await readFile(path));
  expect(mail).toMatchObject({
    from: { name: 'Acme', address: 'no-reply@acme.example' },
    to: [{ address: 'erika@example.com' }],
    subject: 'Your license key for Studio',
    messageId: `<${delivery.id}@acme.example>`,
    date: '2026-05-01T10:00:00.000Z',
  });
  expect((await readdir(join(dataDir, 'mail'))).filter((name) => name.endsWith('.tmp'))).toEqual([]);
  const { delivery: shown } = await api.data({ token: business.live, query, variables: { id: delivery.id } });
  expect(shown).toEqual({
    id: delivery.id,
    recipient: 'erika@example.com',
    template: 'license-key',
    status: 'SENT',
    failure: null,
    attempts: 1,
    response: null,
    sentAt: '2026-05-01T10:00:00.000Z',
    text: expect.stringContaining('\n\nAAAAA-BBBBB-CCCCC-DDDDD-EEEEE\n\n'),
    grant: { id: delivery.grantId },
    createdAt: row.createdAt.toISOString(),
    updatedAt: '2026-05-01T10:00:00.000Z',
  });
  expect(mail.text?.trimEnd()).toBe(shown.text.trimEnd());
});

test('a file that was taken away is no text, and no fault', async () => {
  const business = await newBusiness(api);
  const delivery = await newDelivery(api, business, 'erika@example.com');
  await sent(delivery);
  const path = join(dataDir, 'mail', `${delivery.id}.txt`);
  await rename(path, `${path}.away`);
  const { delivery: shown } = await api.data({ token: business.live, query, variables: { id: delivery.id } });
  expect(shown).toMatchObject({ status: 'SENT', text: null });
});

test('what the column says cannot lead out of the folder', async () => {
  const business = await newBusiness(api);
  const delivery = await newDelivery(api, business, null);
  await api.db.sql(null, "UPDATE deliveries SET file = '../../etc/passwd' WHERE business_id = $1", [
    (await delivery.row()).businessId,
  ]);
  const { delivery: shown } = await api.data({ token: business.live, query, variables: { id: delivery.id } });
  expect(shown).toMatchObject({ status: 'FAILED', failure: 'NO_ADDRESS', recipient: null, text: null });
});

test('the text needs LICENSE_KEYS_REVEAL, the recipient CUSTOMERS_READ, the field GRANTS_READ', async () => {
  const business = await newBusiness(api);
  const delivery = await newDelivery(api, business, 'erika@example.com');
  await sent(delivery);
  const ask = async (token: string | null, text = query) =>
    api.call({ token, query: text, variables: { id: delivery.id } });

  const narrow = await ask(await newApiKey(api, business.live, ['GRANTS_READ']));
  expect(narrow.data.delivery).toMatchObject({ id: delivery.id, text: null, recipient: null, status: 'SENT' });
  expect(narrow.errors?.map(({ path, extensions }) => [path?.join('.'), extensions.code])).toEqual([
    ['delivery.recipient', 'FORBIDDEN'],
    ['delivery.text', 'FORBIDDEN'],
  ]);
  const none = await ask(await newApiKey(api, business.live, ['LICENSE_KEYS_REVEAL']));
  expect([none.data.delivery, none.errors?.[0]?.extensions.code]).toEqual([null, 'FORBIDDEN']);
  const session = await ask(await newSession(api, business.live, delivery.customerId));
  expect([session.data.delivery, session.errors?.[0]?.extensions.code]).toEqual([null, 'FORBIDDEN']);
  expect((await ask(null)).errors?.[0]?.extensions.code).toBe('UNAUTHENTICATED');
});

test('a session sees the mails of its own grants without their text', async () => {
  const business = await newBusiness(api);
  const delivery = await newDelivery(api, business, 'erika@example.com');
  await sent(delivery);
  const node = `query ($id: ID!) { node(id: $id) { ... on Delivery { id recipient status } } }`;
  const asking = async (customerId: string) =>
    api.data({ token: await newSession(api, business.live, customerId), query: node, variables: { id: delivery.id } });
  expect(await asking(delivery.customerId)).toEqual({
    node: { id: delivery.id, recipient: 'erika@example.com', status: 'SENT' },
  });
  const other = await newDelivery(api, business, null);
  expect(await asking(other.customerId)).toEqual({ node: null });
});

test('the mail of another business, of the other mode, and an id that is none, are not there', async () => {
  const [business, stranger] = await Promise.all([newBusiness(api), newBusiness(api)]);
  const delivery = await newDelivery(api, business, null);
  for (const [token, id] of [
    [stranger.live, delivery.id],
    [business.test, delivery.id],
    [business.live, 'dlv_nonsense'],
    [business.live, delivery.grantId],
  ]) {
    expect(await api.data({ token, query, variables: { id } })).toEqual({ delivery: null });
  }
});

test('the schedule’s tasks are known to the worker', async () => {
  await api.db.sql(
    null,
    `INSERT INTO idempotency_records (namespace, key, mutation, fingerprint, expires_at, created_at) VALUES
      ('n', 'expired', 'm', '', '2026-05-01T10:00:00Z', '2026-04-30T10:00:00Z'),
      ('n', 'fresh', 'm', '', '2026-05-01T10:00:00.001Z', '2026-04-30T10:00:00Z'),
      ('n', 'forever', 'm', '', NULL, '2026-04-30T10:00:00Z')`,
    [],
  );
  await api.db.sql(null, "SELECT graphile_worker.add_job('forgetExpiredIdempotencyKeys')", []);
  const keys = async () =>
    (
      await api.db.sql<{ key: string }>(
        null,
        "SELECT key FROM idempotency_records WHERE namespace = 'n' ORDER BY key",
        [],
      )
    ).map(({ key }) => key);
  await waitUntil('the expired one is gone', async () => (await keys()).length < 3);
  expect(await keys()).toEqual(['forever', 'fresh']);
});
