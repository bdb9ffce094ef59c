import { afterAll, expect, test } from '@jest/globals';
import { openDatabase } from '../../src/kernel/database.js';
import type { Api } from '../support/api.js';
import { newBusiness, newCustomer } from '../support/business.js';
import { newPackage, newPackagePrice, newProduct, newSubscriptionType } from '../support/catalog.js';
import { cloneDatabase } from '../support/database.js';
import { expectInvariants } from '../support/invariants.js';
import { remoteApi } from '../support/remoteApi.js';
import { endServerProcesses, startServerProcess } from '../support/serverProcess.js';
import { creditWallet, newWallet } from '../support/wallets.js';

afterAll(endServerProcesses);

const rounds = process.env.DEEP ? 50 : 3;
const buyers = 12;
const purchase = `mutation ($input: PurchaseLicensesByWalletInput!) {
  purchaseLicensesByWallet(input: $input) { order { id } licenses { id } userErrors { code message } }
}`;

interface Shop {
  live: string;
  input: Record<string, unknown>;
}

async function openShop(api: Api): Promise<Shop> {
  const { live } = await newBusiness(api);
  const customerId = await newCustomer(api, live, { code: 'BUYER' });
  const primaryProductId = await newProduct(api, live);
  const packageId = await newPackage(api, live, { primaryProductId });
  const subscriptionTypeId = await newSubscriptionType(api, live, { days: 30 });
  await newPackagePrice(api, live, { packageId, subscriptionTypeId, amount: '1.00', currencyCode: 'EUR' });
  const walletId = await newWallet(api, live, { customerId, currencyCode: 'EUR' });
  await creditWallet(api, live, walletId, '100000.00', 'EUR');
  const startDate = new Date();
  const endDate = new Date(startDate.getTime() + 30 * 86_400_000);
  const input = {
    walletId,
    packageId,
    subscriptionTypeId,
    amount: '1.00',
    currencyCode: 'EUR',
    startDate,
    endDate,
    quantity: 2,
    customerCode: 'BUYER',
  };
  return { live, input };
}

/** Buys without pause until the server dies; tells `onAnswer` of each answer. Returns the key that got none. */
async function buyUntilDeath(api: Api, shop: Shop, name: string, onAnswer: () => void): Promise<string> {
  for (let i = 0; ; i++) {
    const idempotencyKey = `${name}-${i}`;
    try {
      await api.data({ token: shop.live, query: purchase, variables: { input: { ...shop.input, idempotencyKey } } });
      onAnswer();
    } catch (error) {
      // What a broken connection or half an answer looks like to a client; anything else is a failure of the server.
      if (['TypeError', 'SyntaxError'].includes((error as Error).name)) return idempotencyKey;
      throw error;
    }
  }
}

test(
  `kill -9 in the middle of purchases, ${rounds} times: each happened whole or not at all, and a retry gives the one outcome`,
  async () => {
    const clone = await cloneDatabase();
    const db = openDatabase({ url: clone.url, readConnections: 2, writeConnections: 2 });
    const environment = { DATABASE_URL: clone.url };
    let server = await startServerProcess(environment);
    const shop = await openShop(remoteApi(server.url) as Api);
    for (let round = 0; round < rounds; round++) {
      let answers = 0;
      const api = remoteApi(server.url) as Api;
      const target = 20 + round * 7;
      const lost = await Promise.all(
        Array.from({ length: buyers }, (_, buyer) =>
          buyUntilDeath(api, shop, `${round}-${buyer}`, () => {
            if (++answers === target) server.process.kill('SIGKILL');
          }),
        ),
      );
      await server.end('SIGKILL');
      await expectInvariants(db);
      server = await startServerProcess(environment);
      const retried = remoteApi(server.url);
      for (const idempotencyKey of lost) {
        const call = { token: shop.live, query: purchase, variables: { input: { ...shop.input, idempotencyKey } } };
        const [first, again] = [await retried.call(call), await retried.call(call)];
        expect([first.data.purchaseLicensesByWallet.licenses.length, again.data]).toEqual([2, first.data]);
        expect(again.extensions.idempotency[0].replayed).toBe(true);
      }
      await expectInvariants(db);
      const [counts] = await db.sql<{ orders: number; licenses: number; keys: number }>(
        null,
        `SELECT (SELECT count(*)::int FROM orders) AS orders, (SELECT count(*)::int FROM licenses) AS licenses,
        (SELECT count(*)::int FROM idempotency_records WHERE mutation = 'purchaseLicensesByWallet') AS keys`,
        [],
      );
      expect(counts).toEqual({ orders: counts?.keys, licenses: 2 * (counts?.orders ?? 0), keys: counts?.keys });
      expect(counts?.orders).toBeGreaterThanOrEqual(answers + lost.length);
    }
    expect(await server.end('SIGTERM')).toBe(0);
    await db.close();
    await clone.drop();
  },
  rounds * 30_000 + 30_000,
);
