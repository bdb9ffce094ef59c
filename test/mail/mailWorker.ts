// A worker in a process of its own, for somebody to kill. Started by sendDelivery.test.ts.
import { noMails } from '../support/noMails.js';
import { pino } from 'pino';
import { readConfig } from '../../src/config.js';
import { openDatabase } from '../../src/kernel/database.js';
import { keyringOf } from '../../src/keyring.js';
import { startWorker } from '../../src/worker.js';

const [url, smtpUrl] = process.argv.slice(2) as [string, string];
const config = readConfig({
  NODE_ENV: 'test',
  SMTP_URL: smtpUrl,
  LATCHKEY_MAIL_FROM: 'Acme <no-reply@acme.example>',
  LATCHKEY_HMAC_KEYS: `h1:${Buffer.alloc(32, 1).toString('base64')}`,
  LATCHKEY_ENCRYPTION_KEYS: `e1:${Buffer.alloc(32, 2).toString('base64')}`,
});
const vars = {
  customerName: 'Erika Mustermann',
  productName: 'Studio',
  key: 'AAAAA-BBBBB-CCCCC-DDDDD-EEEEE',
  activationsLimit: null,
  expiresAt: null,
  activationMessage: null,
  brandName: 'Acme Software',
};
await startWorker({
  config,
  db: openDatabase({ url, readConnections: 2, writeConnections: 2 }),
  url,
  keyring: keyringOf(config),
  log: pino({ level: 'silent' }),
  contents: { ...noMails, 'license-key': async () => ({ vars }) },
});
