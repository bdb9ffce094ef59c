import { randomUUID } from 'node:crypto';
import { pino } from 'pino';
import { readConfig } from '../../src/config.js';
import type { Delivery } from '../../src/generated/prisma/client.js';
import { systemContext } from '../../src/jobs/systemContext.js';
import { globalId, newId, uuidOf } from '../../src/kernel/id.js';
import { inSqlTransaction } from '../../src/kernel/transaction.js';
import { keyringOf } from '../../src/keyring.js';
import { queueDelivery } from '../../src/mail/queueDelivery.js';
import type { MailContents } from '../../src/mail/sendDelivery.js';
import { startWorker, type Worker, type WorkerParts } from '../../src/worker.js';
import { noMails } from '../support/noMails.js';
import { testEnvironment, type Api } from '../support/api.js';
import { newCustomer, type TestBusiness } from '../support/business.js';
import { waitUntil } from '../support/waitUntil.js';

/** What mails are filled with here; the real contents are a feature's. */
export const contents: MailContents = {
  ...noMails,
  'license-key': async () => ({
    vars: {
      customerName: 'Erika Mustermann',
      productName: 'Studio',
      key: 'AAAAA-BBBBB-CCCCC-DDDDD-EEEEE',
      activationsLimit: 3,
      expiresAt: new Date('2027-01-31T12:00:00.000Z'),
      activationMessage: 'Open Studio, choose Help > Activate.',
      brandName: 'Acme Software',
    },
  }),
};

/** A worker on the API's database. */
export async function newWorker(
  api: Api,
  environment: Record<string, string>,
  parts: Partial<WorkerParts> = {},
): Promise<Worker> {
  const config = readConfig({
    ...testEnvironment,
    LATCHKEY_MAIL_FROM: 'Acme <no-reply@acme.example>',
    ...environment,
  });
  const log = pino({ level: 'silent' });
  return startWorker({
    config,
    db: api.db,
    url: api.url,
    keyring: keyringOf(config),
    log,
    contents,
    sweepMs: 100,
    ...parts,
  });
}

/** A queued mail about a grant of a new customer, as the use cases queue it. */
export interface TestDelivery {
  id: string;
  grantId: string;
  customerId: string;
  row(): Promise<Delivery>;
}

/** Queues a mail; `recipient` as the customer's address would be. */
export async function newDelivery(api: Api, business: TestBusiness, recipient: string | null): Promise<TestDelivery> {
  const customerId = await newCustomer(api, business.live);
  const tenant = { businessId: uuidOf('Business', business.id), mode: 'LIVE' as const };
  const parts = {
    db: api.db,
    keyring: keyringOf(readConfig(testEnvironment)),
    mailFolder: null,
    clock: () => new Date(),
  };
  const ctx = systemContext(parts, tenant);
  const grantId = await newGrant(api, tenant, uuidOf('Customer', customerId));
  const { id } = await inSqlTransaction(ctx, async (tx) => ({
    id: queueDelivery(tx, {
      customerId: uuidOf('Customer', customerId),
      recipient,
      grantId,
      template: 'license-key',
    }),
  }));
  return {
    id: globalId('Delivery', id),
    grantId: globalId('Grant', grantId),
    customerId,
    row: () => api.db.prisma.delivery.findUniqueOrThrow({ where: { businessId_mode_id: { ...tenant, id } } }),
  };
}

async function newGrant(api: Api, tenant: { businessId: string; mode: 'LIVE' }, customerId: string): Promise<string> {
  const { prisma } = api.db.writer;
  const at = { createdAt: new Date(), updatedAt: new Date() };
  const { businessId } = tenant;
  const kind = { integrationType: 'LICENSE_KEY', fulfillmentMode: 'MANUAL', metadata: {} } as const;
  const entitlement = await prisma.entitlement.create({
    data: { businessId, id: newId(), name: 'Key', ...kind, ...at },
  });
  const grant = await prisma.grant.create({
    data: { ...tenant, id: newId(), customerId, entitlementId: entitlement.id, status: 'PENDING', ...kind, ...at },
  });
  return grant.id;
}

/** Waits until the mail was tried so often and waits for its next turn, then makes that now. */
export async function retryNow(api: Api, delivery: TestDelivery, afterAttempts: number): Promise<void> {
  const key = `delivery:${uuidOf('Delivery', delivery.id)}`;
  await waitUntil(`attempt ${afterAttempts} failed`, async () => {
    const rescheduled = await api.db.writer.pool.query(
      `UPDATE graphile_worker._private_jobs SET run_at = now()
        WHERE key = $1 AND attempts = $2 AND locked_at IS NULL AND run_at > now()`,
      [key, afterAttempts],
    );
    return rescheduled.rowCount === 1;
  });
  await api.db.writer.pool.query(`SELECT pg_notify('jobs:insert', '{"count":1}')`);
}

/** An address of one's own. */
export function newAddress(): string {
  return `${randomUUID()}@example.com`;
}
