// `npm run demo`: the whole main job against a running development server, as the demo vendor's own back end would do it.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createClient, LatchkeyError, newIdempotencyKey, orThrow } from './src/index.js';

interface Demo {
  url?: string;
  test: string;
  brandUrl: string;
  catalog?: { bundle: string; monthly: string; manualKey: string };
}

/** A failure that a person can mend: told in one line. */
class DemoError extends Error {}

const day = 86_400_000;
const started = performance.now();

function readDemo(): Demo {
  const file = join(process.env.LATCHKEY_DATA_DIR || '.data', 'demo.json');
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as Demo;
  } catch {
    throw new DemoError(`There is no demo vendor (${file} is missing). Start one in another terminal: npm start`);
  }
}

/** One line: the mutation or query, and what came back. */
function tell(operation: string, outcome: string): void {
  const seconds = ((performance.now() - started) / 1_000).toFixed(2).padStart(5);
  console.log(`${seconds} s  ${operation.padEnd(25)} ${outcome}`);
}

const money = ({ amount, currencyCode }: { amount: string; currencyCode: string }) => `${amount} ${currencyCode}`;

async function run(): Promise<void> {
  const demo = readDemo();
  if (!demo.catalog) throw new DemoError('The demo vendor is incomplete. Delete the data folder and start again.');
  const url = process.env.LATCHKEY_URL || demo.url || 'http://127.0.0.1:4000/graphql';
  const api = createClient({ url, token: demo.test, brandUrl: demo.brandUrl, actor: 'Demo agent' });
  const { bundle, monthly, manualKey } = demo.catalog;
  console.log(`Latchkey demo at ${url}, test data of ${demo.brandUrl}\n`);

  const { customer } = orThrow(
    (
      await api.createCustomer({
        input: { firstName: 'Ada', lastName: 'Lovelace', email: `ada-${Date.now()}@customer.example` },
      })
    ).createCustomer,
  );
  tell('createCustomer', `${customer.name}, number ${customer.number}`);

  const { wallet } = orThrow(
    (await api.createWallet({ input: { customerId: customer.id, currencyCode: 'EUR' } })).createWallet,
  );
  tell('createWallet', `balance ${money(wallet.balance)}`);

  const credited = orThrow(
    (
      await api.creditWallet({
        input: {
          walletId: wallet.id,
          amount: '100.00',
          currencyCode: 'EUR',
          reason: 'Bank transfer',
          idempotencyKey: newIdempotencyKey(),
        },
      })
    ).creditWallet,
  );
  tell('creditWallet', `balance ${money(credited.wallet.balance)}`);

  const startDate = new Date();
  const purchase = orThrow(
    (
      await api.purchaseLicensesByWallet({
        input: {
          walletId: wallet.id,
          packageId: bundle,
          subscriptionTypeId: monthly,
          customerId: customer.id,
          amount: '29.90',
          currencyCode: 'EUR',
          startDate: startDate.toISOString(),
          endDate: new Date(startDate.getTime() + 30 * day).toISOString(),
          quantity: 2,
          idempotencyKey: newIdempotencyKey(),
        },
      })
    ).purchaseLicensesByWallet,
  );
  tell('purchaseLicensesByWallet', `order ${purchase.order.number}, ${money(purchase.order.total)} paid`);
  tell('', `balance ${money(purchase.wallet.balance)}`);
  for (const license of purchase.licenses) {
    tell('', `license ${license.number} ${license.status}, key ${license.licenseKeys?.[0]?.maskedKey ?? 'to come'}`);
  }

  const issued = orThrow(
    (await api.issueGrant({ input: { entitlementId: manualKey, customerId: customer.id } })).issueGrant,
  );
  tell('issueGrant', `${issued.grant.entitlement.name}: ${issued.grant.status}`);

  const { pendingGrants } = await api.pendingGrants({ where: { customerId: { in: [customer.id] } } });
  tell('pendingGrants', `${pendingGrants.nodes.length} of this customer wait for a person`);

  const key = `PLUGIN-${newIdempotencyKey().slice(0, 13).toUpperCase()}`;
  const fulfilled = orThrow(
    (
      await api.fulfillLicenseKeyGrant({
        input: { grantId: issued.grant.id, key, idempotencyKey: newIdempotencyKey() },
      })
    ).fulfillLicenseKeyGrant,
  );
  tell('fulfillLicenseKeyGrant', `${fulfilled.grant.status}, key ${fulfilled.grant.licenseKey?.maskedKey}`);

  const delivery = await deliveryOf(api, issued.grant.id);
  tell('grant.deliveries', `mail to ${delivery.recipient} ${delivery.status}`);
  const { delivery: mail } = await api.deliveryText({ id: delivery.id });
  console.log(
    `\n${(mail?.text ?? '(a mail server sent it; its text is not kept here)').trim().replace(/^(?=.)/gm, '    ')}`,
  );
}

/** The grant's mail, once the worker has dealt with it. */
async function deliveryOf(api: ReturnType<typeof createClient>, grantId: string) {
  const deadline = performance.now() + 15_000;
  for (;;) {
    const { grant } = await api.grant({ id: grantId });
    const delivery = grant?.deliveries[0];
    if (delivery && delivery.status !== 'QUEUED') return delivery;
    if (performance.now() > deadline) {
      throw new DemoError('The mail still waits after 15 s. Does a worker run (LATCHKEY_ROLE all or worker)?');
    }
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

run().catch((error: unknown) => {
  process.exitCode = 1;
  if (error instanceof DemoError) return console.error(error.message);
  if (error instanceof LatchkeyError && error.code === 'NETWORK') {
    return console.error(`${error.message} Start the server in another terminal: npm start`);
  }
  if (error instanceof LatchkeyError && error.code === 'UNAUTHENTICATED') {
    return console.error(
      'This server has no demo vendor with these keys: it works on another database, or another folder.',
    );
  }
  console.error(error instanceof Error ? `The demo failed: ${error.message}` : error);
});
