import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from '@jest/globals';
import { demoFile, keepDemoUrl, seedDemo } from '../prisma/seed.js';
import { readConfig } from '../src/config.js';
import { keyringOf } from '../src/keyring.js';
import { testEnvironment, useApi } from './support/api.js';
import { newBusiness } from './support/business.js';

const api = useApi();
const other = useApi();
const dataDir = mkdtempSync(join(tmpdir(), 'latchkey-seed-'));
afterAll(() => rmSync(dataDir, { recursive: true, force: true }));

const seed = (of: typeof api) =>
  seedDemo({ db: of.db, keyring: keyringOf(readConfig(testEnvironment)), dataDir, mailFolder: null });

test('a database with a business in it is never seeded', async () => {
  await newBusiness(other);
  expect(await seed(other)).toBe(false);
  expect(keepDemoUrl(dataDir, 'http://127.0.0.1:4000/graphql')).toBe(false);
  expect(await other.db.prisma.business.count()).toBe(1);
  expect(await other.db.prisma.product.count()).toBe(0);
});

test('an empty database gets one demo vendor, whose keys open a believable world in both modes', async () => {
  const outcomes = [await seed(api), await seed(api)];
  expect(outcomes).toEqual([true, false]);
  expect(keepDemoUrl(dataDir, 'http://127.0.0.1:4000/graphql')).toBe(true);
  expect(await api.db.prisma.business.count()).toBe(1);
  expect(statSync(demoFile(dataDir)).mode & 0o777).toBe(0o600);
  const demo = JSON.parse(readFileSync(demoFile(dataDir), 'utf8'));
  expect(demo.url).toBe('http://127.0.0.1:4000/graphql');
  for (const [token, data] of [
    [demo.live, demo.liveData],
    [demo.test, demo.testData],
  ]) {
    const answer = await api.data({
      token,
      headers: { 'brand-url': demo.brandUrl },
      query: `query ($wallet: ID!, $order: ID!, $active: ID!, $pending: ID!, $package: ID!) {
        customers { totalCount }
        products { totalCount nodes { sku latestPublicVersionName } }
        organizations { nodes { name customers { totalCount } } }
        package(id: $package) { prices { price { amount currencyCode } } }
        wallet(id: $wallet) { balance { amount currencyCode } }
        order(id: $order) { status total { amount } licenses { nodes { status grants { status } } } }
        active: license(id: $active) { status productOfferingOptions { changeSchedule productOffering { name } } }
        pending: license(id: $pending) { status }
        pendingGrants { totalCount }
      }`,
      variables: {
        wallet: data.wallets.erika,
        order: data.order,
        active: data.licenses.active,
        pending: data.licenses.pending,
        package: demo.catalog.bundle,
      },
    });
    expect(answer.customers.totalCount).toBe(3);
    expect(answer.products.totalCount).toBe(2);
    expect(answer.products.nodes).toContainEqual({ sku: 'POLARIS-STUDIO', latestPublicVersionName: '2.0.0' });
    expect(answer.organizations.nodes).toEqual([{ name: 'Gulf Drafting W.L.L.', customers: { totalCount: 1 } }]);
    expect(answer.package.prices).toHaveLength(6);
    expect(answer.package.prices).toContainEqual({ price: { amount: '97.500', currencyCode: 'KWD' } });
    expect(answer.wallet.balance).toEqual({ amount: '440.20', currencyCode: 'EUR' });
    expect(answer.order).toEqual({
      status: 'COMPLETED',
      total: { amount: '59.80' },
      licenses: {
        nodes: Array(2).fill({ status: 'ACTIVE', grants: [{ status: 'DELIVERED' }, { status: 'PENDING' }] }),
      },
    });
    expect([answer.active.status, answer.pending.status]).toEqual(['ACTIVE', 'PENDING']);
    const team = { changeSchedule: 'INSTANT', productOffering: { name: 'Studio Team, yearly' } };
    expect(answer.active.productOfferingOptions).toEqual([team]);
    expect(answer.pendingGrants.totalCount).toBe(3);
  }
});
