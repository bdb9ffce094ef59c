import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createServer, type AddressInfo } from 'node:net';
import { afterEach, expect, test } from '@jest/globals';
import { pino } from 'pino';
import { systemContext } from '../../src/jobs/systemContext.js';
import { inSqlTransaction } from '../../src/kernel/transaction.js';
import { requeueWithdrawn } from '../../src/mail/requeueWithdrawn.js';
import { smtpTransport } from '../../src/mail/transport.js';
import type { Worker } from '../../src/worker.js';
import { noMails } from '../support/noMails.js';
import { useApi } from '../support/api.js';
import { newBusiness } from '../support/business.js';
import { startSmtpServer, type SmtpServer } from '../support/smtp.js';
import { waitUntil } from '../support/waitUntil.js';
import { contents, newAddress, newDelivery, newWorker, retryNow, type TestDelivery } from './mailing.js';

const api = useApi();
const running: { stop(): Promise<void> }[] = [];
const children: ChildProcess[] = [];

afterEach(async () => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
  for (const { stop } of running.splice(0).toReversed()) await stop();
});

async function smtpServer(respond?: Parameters<typeof startSmtpServer>[0]): Promise<SmtpServer> {
  const server = await startSmtpServer(respond);
  running.push(server);
  return server;
}

async function worker(smtpUrl: string, parts: Parameters<typeof newWorker>[2] = {}): Promise<Worker> {
  const started = await newWorker(api, { SMTP_URL: smtpUrl }, parts);
  running.push(started);
  return started;
}

async function ended(delivery: TestDelivery): Promise<void> {
  await waitUntil('the mail is sent or given up', async () => (await delivery.row()).status !== 'QUEUED');
}

test('a queued mail arrives: one recipient, the subject, the key on a line of its own', async () => {
  const smtp = await smtpServer();
  await worker(smtp.url);
  const recipient = newAddress();
  const delivery = await newDelivery(api, await newBusiness(api), recipient);
  await ended(delivery);
  expect(smtp.mails).toHaveLength(1);
  const [{ recipients, mail }] = smtp.mails as [SmtpServer['mails'][number]];
  expect(recipients).toEqual([recipient]);
  expect(mail).toMatchObject({
    from: { name: 'Acme', address: 'no-reply@acme.example' },
    to: [{ name: '', address: recipient }],
    subject: 'Your license key for Studio',
    messageId: `<${delivery.id}@acme.example>`,
  });
  expect(mail.text).toBe(`Hello Erika Mustermann,

here is your license key for Studio:

AAAAA-BBBBB-CCCCC-DDDDD-EEEEE

It can be activated on 3 devices.
It works until 2027-01-31 12:00 UTC.

Open Studio, choose Help > Activate.

Keep this mail: whoever has the key can use it.

Acme Software

`);
  expect(mail.html).toContain('>AAAAA-BBBBB-CCCCC-DDDDD-EEEEE</p>');
  const row = await delivery.row();
  expect(row).toMatchObject({
    status: 'SENT',
    failure: null,
    attempts: 1,
    response: expect.stringMatching(/^250 /),
    file: null,
    sentAt: expect.any(Date),
    enqueuedAt: expect.any(Date),
  });
});

test('names of all scripts arrive; names with line ends, commas and tags add neither headers nor recipients nor markup', async () => {
  const smtp = await smtpServer();
  const content = await contents['license-key'](null as never, null as never);
  const nasty = {
    ...(content as NonNullable<typeof content>).vars,
    customerName: '李雷 Ågård, mallory@evil.example',
    productName: 'Studio\r\nBcc: mallory@evil.example\r\n\r\nHello <b>',
    brandName: 'Müller & Söhne\nX-Evil: yes',
    key: 'Schlüssel-ß-<1>',
    activationMessage: '<script>alert(1)</script>\nzweite Zeile',
  };
  await worker(smtp.url, { contents: { ...contents, 'license-key': async () => ({ vars: nasty }) } });
  const recipient = newAddress();
  await ended(await newDelivery(api, await newBusiness(api), recipient));
  const [{ recipients, raw, mail }] = smtp.mails as [SmtpServer['mails'][number]];
  expect(recipients).toEqual([recipient]);
  expect(mail).toMatchObject({ to: [{ address: recipient }] });
  expect([mail.cc, mail.bcc]).toEqual([undefined, undefined]);
  expect(mail.subject).toBe('Your license key for Studio Bcc: mallory@evil.example Hello <b>');
  expect(raw.slice(0, raw.indexOf('\r\n\r\n'))).not.toMatch(/^(bcc|x-evil):/im);
  const lines = mail.text?.split('\n') ?? [];
  expect(lines).toContain('Hello 李雷 Ågård, mallory@evil.example,');
  expect(lines).toContain('Schlüssel-ß-<1>');
  expect(lines).toContain('Müller & Söhne X-Evil: yes');
  expect(mail.html).toContain('Schlüssel-ß-&lt;1&gt;');
  expect(mail.html).toContain('&lt;script&gt;alert(1)&lt;/script&gt;\nzweite Zeile');
  expect(mail.html).not.toContain('<script>');
});

test('what is no single plain address is not sent to anybody', async () => {
  const smtp = await smtpServer();
  await worker(smtp.url);
  const business = await newBusiness(api);
  for (const recipient of [
    'a@example.com, b@example.com',
    'Eve <a@example.com>',
    'a@example.com\r\nBcc: b@example.com',
  ]) {
    const delivery = await newDelivery(api, business, recipient);
    await ended(delivery);
    expect(await delivery.row()).toMatchObject({ status: 'FAILED', failure: 'REFUSED', attempts: 1, sentAt: null });
  }
  expect(smtp.asked).toEqual({ RCPT: 0, DATA: 0 });
});

test.each([null, '', '  '])(
  'a customer without an address (%j) gets no mail, and nothing is tried',
  async (recipient) => {
    const delivery = await newDelivery(api, await newBusiness(api), recipient);
    expect(await delivery.row()).toMatchObject({
      status: 'FAILED',
      failure: 'NO_ADDRESS',
      recipient: null,
      attempts: 0,
      enqueuedAt: null,
    });
  },
);

test('a mail server that says "later" is asked again, and the mail then sent once', async () => {
  const smtp = await smtpServer({
    respond: async ({ command, nth }) => (command === 'DATA' && nth === 1 ? '451 4.7.1 Greylisted, come back' : null),
  });
  await worker(smtp.url);
  const delivery = await newDelivery(api, await newBusiness(api), newAddress());
  await retryNow(api, delivery, 1);
  await ended(delivery);
  expect(await delivery.row()).toMatchObject({ status: 'SENT', failure: null, attempts: 2 });
  expect(smtp.mails.map(({ mail }) => mail.messageId)).toEqual([`<${delivery.id}@acme.example>`]);
});

test('between two attempts everybody can see how it stands', async () => {
  const smtp = await smtpServer({
    respond: async ({ command, recipient, nth }) =>
      command === 'RCPT' && nth === 1 ? `450 4.2.2 <${recipient.toUpperCase()}> mailbox full` : null,
  });
  await worker(smtp.url);
  const delivery = await newDelivery(api, await newBusiness(api), newAddress());
  await waitUntil('the first answer', async () => (await delivery.row()).response !== null);
  expect(await delivery.row()).toMatchObject({
    status: 'QUEUED',
    failure: null,
    attempts: 1,
    response: '450 4.2.2 <recipient> mailbox full',
    sentAt: null,
  });
  await retryNow(api, delivery, 1);
  await ended(delivery);
});

test.each<['RCPT' | 'DATA', string]>([
  ['RCPT', '550 5.1.1 No such user'],
  ['DATA', '554 5.7.1 Spam'],
])('a mail that the server refuses for good at %s is not tried again', async (command, answer) => {
  const smtp = await smtpServer({ respond: async (question) => (question.command === command ? answer : null) });
  await worker(smtp.url);
  const delivery = await newDelivery(api, await newBusiness(api), newAddress());
  await ended(delivery);
  expect(await delivery.row()).toMatchObject({
    status: 'FAILED',
    failure: 'REFUSED',
    attempts: 1,
    response: answer,
    sentAt: null,
  });
  await waitUntil('the job is gone', async () => (await jobCount()) === 0);
  const grant = await api.db.sql<{ status: string; version: number }>(null, 'SELECT status, version FROM grants', []);
  expect(grant.every(({ status, version }) => status === 'PENDING' && version === 1)).toBe(true);
});

async function jobCount(): Promise<number> {
  const rows = await api.db.sql(null, "SELECT 1 FROM graphile_worker.jobs WHERE task_identifier = 'sendDelivery'", []);
  return rows.length;
}

test('a mail server that cannot be reached is tried again, until the last attempt', async () => {
  const gone = await startSmtpServer();
  await gone.stop();
  const lines: string[] = [];
  const log = pino({}, { write: (line: string) => void lines.push(line) });
  await worker(gone.url, { log });
  const recipient = newAddress();
  const delivery = await newDelivery(api, await newBusiness(api), recipient);
  const response = 'The mail server did not answer (ECONNREFUSED).';
  await waitUntil('the first attempt', async () => (await delivery.row()).response !== null);
  expect(await delivery.row()).toMatchObject({ status: 'QUEUED', failure: null, attempts: 1, response });
  await api.db.sql(null, "UPDATE deliveries SET attempts = 13 WHERE status = 'QUEUED'", []);
  await retryNow(api, delivery, 1);
  await waitUntil('attempt 14', async () => (await delivery.row()).attempts === 14);
  await retryNow(api, delivery, 2);
  await ended(delivery);
  expect(await delivery.row()).toMatchObject({ status: 'FAILED', failure: 'UNREACHABLE', attempts: 15, response });
  // A repeated job finds nothing to do any more.
  await retryNow(api, delivery, 3);
  await waitUntil('the job is gone', async () => (await jobCount()) === 0);
  expect((await delivery.row()).attempts).toBe(15);
  const logged = lines.join('');
  expect(logged).toContain('the mail server did not take a mail');
  for (const secret of [recipient, 'AAAAA-BBBBB', 'Mustermann']) expect(logged).not.toContain(secret);
});

test('the queue holds ids only', async () => {
  const gone = await startSmtpServer();
  await gone.stop();
  await worker(gone.url);
  const delivery = await newDelivery(api, await newBusiness(api), newAddress());
  await waitUntil('the first attempt', async () => (await delivery.row()).response !== null);
  const { businessId, mode, id } = await delivery.row();
  const jobs = await api.db.sql(
    null,
    'SELECT payload, key, max_attempts AS "maxAttempts" FROM graphile_worker._private_jobs WHERE key = $1',
    [`delivery:${id}`],
  );
  expect(jobs).toEqual([{ payload: { businessId, mode, deliveryId: id }, key: `delivery:${id}`, maxAttempts: 25 }]);
  await api.db.sql(null, 'SELECT graphile_worker.remove_job($1)', [`delivery:${id}`]);
});

test('a server that takes the connection and hangs, or hangs up in the middle, is as good as none', async () => {
  for (const behave of ['hang', 'close'] as const) {
    const server = createServer((socket) => {
      socket.on('error', () => undefined).resume();
      if (behave === 'close') socket.end('220 hello\r\n');
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const url = `smtp://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const send = smtpTransport(url, 'a@acme.example', { connect: 200, greeting: 200, silence: 200, total: 500 });
    const mail = { subject: 's', text: 't', html: 'h', deliveryId: 'x', messageId: 'x@y', date: new Date() };
    const outcome = await send({ ...mail, recipient: 'erika@example.com' });
    expect(outcome).toEqual({
      result: 'UNREACHABLE',
      response: expect.stringMatching(
        /^The mail server did not answer \((ETIMEDOUT|ECONNECTION|GREETING_TIMEOUT)\)\.$/,
      ),
    });
    await new Promise((resolve) => server.close(resolve));
  }
});

test('of a worker killed between the server’s yes and the mark, at most one duplicate comes, with the same Message-ID', async () => {
  const smtp = await smtpServer({
    respond: async ({ command, nth }) => {
      if (command !== 'DATA' || nth > 1) return null;
      // The mail is taken; before the worker hears of it, it is dead.
      const [child] = children as [ChildProcess];
      child.kill('SIGKILL');
      await once(child, 'exit');
      return null;
    },
  });
  const child = spawn(
    process.execPath,
    ['--import', 'tsx', join(import.meta.dirname, 'mailWorker.ts'), api.url, smtp.url],
    { stdio: 'inherit' },
  );
  children.push(child);
  const delivery = await newDelivery(api, await newBusiness(api), newAddress());
  await waitUntil('the server took the mail', () => smtp.mails.length === 1);
  await waitUntil('the worker is dead', () => child.signalCode !== null);
  expect(await delivery.row()).toMatchObject({ status: 'QUEUED', attempts: 1 });
  await worker(smtp.url);
  await ended(delivery);
  expect(await delivery.row()).toMatchObject({ status: 'SENT', attempts: 2 });
  await waitUntil('the job is gone', async () => (await jobCount()) === 0);
  const id = `<${delivery.id}@acme.example>`;
  expect(smtp.mails.map(({ mail }) => mail.messageId)).toEqual([id, id]);
});

test('many mails arrive once each, though two workers share them and a third of the answers is "later"', async () => {
  const smtp = await smtpServer({
    respond: async ({ command, nth }) => (command === 'RCPT' && nth % 3 === 0 ? '451 4.3.0 Later' : null),
  });
  await Promise.all([worker(smtp.url), worker(smtp.url)]);
  const business = await newBusiness(api);
  const deliveries = await Promise.all(Array.from({ length: 30 }, () => newDelivery(api, business, newAddress())));
  await waitUntil('all are sent', async () => {
    await api.db.sql(null, 'UPDATE graphile_worker._private_jobs SET run_at = now() WHERE run_at > now()', []);
    await api.db.sql(null, `SELECT pg_notify('jobs:insert', '{"count":20}')`, []);
    const rows = await Promise.all(deliveries.map((delivery) => delivery.row()));
    return rows.every(({ status }) => status === 'SENT');
  });
  const rows = await Promise.all(deliveries.map((delivery) => delivery.row()));
  expect(smtp.mails.flatMap(({ recipients }) => recipients).toSorted()).toEqual(
    rows.map(({ recipient }) => recipient).toSorted(),
  );
  expect(rows.reduce((sum, { attempts }) => sum + attempts, 0)).toBe(smtp.asked.RCPT);
});

test('a mail whose grant comes back in the moment in which it is withdrawn is sent after all', async () => {
  const smtp = await smtpServer();
  let looks = 0;
  await worker(smtp.url, {
    contents: {
      ...noMails,
      'license-key': async (ctx, delivery) => {
        looks++;
        if (looks > 1) return contents['license-key'](ctx, delivery);
        await inSqlTransaction(ctx, async (tx) => {
          await requeueWithdrawn(tx, [delivery.grantId as string]);
          return {};
        });
        return null;
      },
    },
  });
  const delivery = await newDelivery(api, await newBusiness(api), newAddress());
  await ended(delivery);
  expect(await delivery.row()).toMatchObject({ status: 'SENT', failure: null, attempts: 2 });
  expect(smtp.mails).toHaveLength(1);
});

test('a mail whose grant was taken back meanwhile is withdrawn, not sent', async () => {
  const smtp = await smtpServer();
  const delivery = await newDelivery(api, await newBusiness(api), 'erika@example.com');
  const worker = await newWorker(
    api,
    { SMTP_URL: smtp.url },
    { contents: { ...contents, 'license-key': async () => null } },
  );
  await waitUntil('the mail is given up', async () => (await delivery.row()).status === 'FAILED');
  await worker.stop();
  expect(await delivery.row()).toMatchObject({ failure: 'WITHDRAWN', attempts: 1, sentAt: null });
  expect(smtp.mails).toEqual([]);
});

test('a mail that is on its way while its grant is taken back and comes back goes out once', async () => {
  let answer: () => void = () => undefined;
  const answered = new Promise<void>((resolve) => (answer = resolve));
  const smtp = await smtpServer({
    respond: async ({ command }) => (command === 'DATA' ? answered.then(() => null) : null),
  });
  await worker(smtp.url);
  const delivery = await newDelivery(api, await newBusiness(api), newAddress());
  await waitUntil('the mail is on its way', () => smtp.mails.length === 1);
  await restore(delivery);
  const after = await newDelivery(api, await newBusiness(api), newAddress());
  // Jobs are made and taken in order: when this one is on its way, a second one of the first mail would be too.
  await waitUntil('the next mail is on its way', () => smtp.mails.length >= 2);
  answer();
  await Promise.all([ended(delivery), ended(after)]);
  await waitUntil('the jobs are gone', async () => (await jobCount()) === 0);
  expect(smtp.mails.map(({ mail }) => mail.messageId)).toEqual(
    [delivery, after].map(({ id }) => `<${id}@acme.example>`),
  );
});

test('a mail that is being withdrawn while its grant comes back is sent after all', async () => {
  const smtp = await smtpServer();
  let asked = 0;
  let decide: () => void = () => undefined;
  const decided = new Promise<void>((resolve) => (decide = resolve));
  const isTakenBackFirst: typeof contents = {
    ...noMails,
    'license-key': async (ctx, row) => {
      if (++asked > 1) return contents['license-key'](ctx, row);
      await decided;
      return null;
    },
  };
  await worker(smtp.url, { contents: isTakenBackFirst });
  const delivery = await newDelivery(api, await newBusiness(api), newAddress());
  await waitUntil('the mail is being withdrawn', () => asked === 1);
  await restore(delivery);
  decide();
  await ended(delivery);
  expect(await delivery.row()).toMatchObject({ status: 'SENT', failure: null, attempts: 2 });
  expect(smtp.mails).toHaveLength(1);
});

/** Does to a delivery what the restoration of its grant does. */
async function restore(delivery: TestDelivery): Promise<void> {
  const { businessId, mode, grantId } = await delivery.row();
  const parts = { db: api.db, keyring: null as never, mailFolder: null, clock: () => new Date() };
  await inSqlTransaction(systemContext(parts, { businessId, mode }), async (tx) => {
    await requeueWithdrawn(tx, [grantId as string]);
    return {};
  });
}
