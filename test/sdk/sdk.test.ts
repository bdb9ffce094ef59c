import { readdirSync, readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import {
  Kind,
  OperationTypeNode,
  parse,
  print,
  validate,
  type DocumentNode,
  type OperationDefinitionNode,
} from 'graphql';
import { createClient, LatchkeyError, newIdempotencyKey, orThrow, UserErrorsError } from '../../sdk/src/index.js';
import * as generated from '../../sdk/src/generated/sdk.js';
import { readConfig } from '../../src/config.js';
import { checkLimits } from '../../src/graphql/limits.js';
import { readContract } from '../../src/schema.js';
import { adminToken, useApi } from '../support/api.js';
import { newApiKey, newBusiness } from '../support/business.js';

const api = useApi();
let url: string;

beforeAll(async () => {
  await api.server.listen({ host: '127.0.0.1', port: 0 });
  url = `http://127.0.0.1:${(api.server.server.address() as AddressInfo).port}/graphql`;
});

/** Every generated document, as a client sends it. */
const documents = Object.entries(generated)
  .filter(([name]) => name.endsWith('Document'))
  .map(([, document]) => parse(print(document as DocumentNode)));
const operationOf = (document: DocumentNode) =>
  document.definitions.find((node): node is OperationDefinitionNode => node.kind === Kind.OPERATION_DEFINITION)!;

describe('the documents', () => {
  const schema = readContract();

  test('every root field of the contract has a document of its own name', () => {
    const fields = [schema.getQueryType(), schema.getMutationType()].flatMap((type) =>
      Object.keys(type?.getFields() ?? {}),
    );
    const named = documents.map((document) => operationOf(document).name?.value);
    expect(fields.length).toBeGreaterThan(50);
    expect(fields.filter((field) => !named.includes(field))).toEqual([]);
  });

  test('all are valid and within the limits of a server with default settings', () => {
    const { limits } = readConfig({});
    for (const document of documents) {
      const name = operationOf(document).name?.value;
      expect([name, validate(schema, document)]).toEqual([name, []]);
      expect([name, checkLimits(document, limits)]).toEqual([name, []]);
      const text = print(document);
      expect([name, Buffer.byteLength(text) <= limits.documentBytes]).toEqual([name, true]);
      expect(() => parse(text, { maxTokens: limits.tokens })).not.toThrow();
    }
  });

  test('every mutation asks for its refusals and for every field of its payload', () => {
    for (const document of documents) {
      const operation = operationOf(document);
      if (operation.operation !== OperationTypeNode.MUTATION) continue;
      const [field] = operation.selectionSet.selections;
      if (field?.kind !== Kind.FIELD) throw new Error('a mutation selects one field');
      const asked = field.selectionSet?.selections.map((node) => (node.kind === Kind.FIELD ? node.name.value : ''));
      const payload = schema.getType(`${field.name.value[0]?.toUpperCase()}${field.name.value.slice(1)}Payload`);
      expect([field.name.value, [...(asked ?? [])].sort()]).toEqual([
        field.name.value,
        Object.keys((payload as unknown as { getFields(): object }).getFields()).sort(),
      ]);
    }
  });

  test('no list or object asks for a license key in full', () => {
    const folder = join(import.meta.dirname, '../../sdk/operations');
    const fragments = readdirSync(folder).flatMap((file) =>
      parse(readFileSync(join(folder, file), 'utf8')).definitions.filter(
        (node) => node.kind === Kind.FRAGMENT_DEFINITION,
      ),
    );
    const secret = fragments.filter((fragment) => /\b(key|text)\b/.test(print(fragment.selectionSet)));
    expect(fragments.length).toBeGreaterThan(15);
    expect(secret.map(({ name }) => name.value)).toEqual([]);
  });
});

test('the main job: business, catalog, customer, wallet, purchase, grant, fulfillment', async () => {
  const operator = createClient({ url, token: adminToken });
  const brandUrl = 'sdk.example.com';
  const business = orThrow(
    (await operator.createBusiness({ input: { name: 'Acme Software', brandUrl } })).createBusiness,
  );
  expect(business.business.name).toBe('Acme Software');
  const vendor = createClient({ url, token: business.testToken, brandUrl, actor: 'Zoë at the desk' });

  const { product } = orThrow((await vendor.createProduct({ input: { sku: 'APP', name: 'App' } })).createProduct);
  const bundle = orThrow(
    (await vendor.createPackage({ input: { primaryProductId: product.id, name: 'App' } })).createPackage,
  ).package;
  const { subscriptionType } = orThrow(
    (await vendor.createSubscriptionType({ input: { name: 'Monthly', days: 30 } })).createSubscriptionType,
  );
  const ids = { packageId: bundle.id, subscriptionTypeId: subscriptionType.id };
  const { packagePrice } = orThrow(
    (await vendor.createPackagePrice({ input: { ...ids, amount: '19.90', currencyCode: 'EUR' } })).createPackagePrice,
  );
  expect(packagePrice.price).toEqual({ amount: '19.90', currencyCode: 'EUR', minorUnits: '1990' });
  const { entitlement } = orThrow(
    (
      await vendor.createEntitlement({
        input: { name: 'Key', configuration: { licenseKey: { fulfillmentMode: 'MANUAL' } } },
      })
    ).createEntitlement,
  );

  const { customer } = orThrow(
    (
      await vendor.createCustomer({
        input: { firstName: 'Erika', email: 'erika@example.com', metadata: { vip: true } },
      })
    ).createCustomer,
  );
  expect(customer.metadata).toEqual({ vip: true });
  const { wallet } = orThrow(
    (await vendor.createWallet({ input: { customerId: customer.id, currencyCode: 'EUR' } })).createWallet,
  );
  const idempotencyKey = newIdempotencyKey();
  const credit = { walletId: wallet.id, amount: '50.00', currencyCode: 'EUR', idempotencyKey };
  for (let i = 0; i < 2; i++) {
    const credited = orThrow((await vendor.creditWallet({ input: credit })).creditWallet);
    expect(credited.wallet.balance.amount).toBe('50.00');
    expect(credited.ledgerEntry.sequence).toBe('1');
  }

  const startDate = new Date();
  const purchase = {
    walletId: wallet.id,
    ...ids,
    customerId: customer.id,
    amount: '19.90',
    currencyCode: 'EUR',
    startDate: startDate.toISOString(),
    endDate: new Date(startDate.getTime() + 30 * 86_400_000).toISOString(),
  };
  const bought = orThrow(
    (
      await vendor.purchaseLicensesByWallet({
        input: { ...purchase, quantity: 2, idempotencyKey: newIdempotencyKey() },
      })
    ).purchaseLicensesByWallet,
  );
  expect(bought.order.total.amount).toBe('39.80');
  expect(bought.wallet.balance.amount).toBe('10.20');
  expect(bought.licenses.map(({ status }) => status)).toEqual(['ACTIVE', 'ACTIVE']);

  const refused = (await vendor.purchaseLicensesByWallet({ input: purchase })).purchaseLicensesByWallet;
  expect(refused.userErrors).toEqual([
    expect.objectContaining({
      __typename: 'InsufficientFunds',
      code: 'INSUFFICIENT_FUNDS',
      required: { amount: '19.90', currencyCode: 'EUR', minorUnits: '1990' },
      available: { amount: '10.20', currencyCode: 'EUR', minorUnits: '1020' },
    }),
  ]);
  expect(() => orThrow(refused)).toThrow(UserErrorsError);

  const { grant } = orThrow(
    (await vendor.issueGrant({ input: { entitlementId: entitlement.id, customerId: customer.id } })).issueGrant,
  );
  expect(grant.status).toBe('PENDING');
  const claimed = orThrow((await vendor.claimGrant({ input: { grantId: grant.id } })).claimGrant);
  expect(claimed.grant.claimedBy).toBe('Zoë at the desk');
  const fulfilled = orThrow(
    (await vendor.fulfillLicenseKeyGrant({ input: { grantId: grant.id, key: 'ABCD-1234' } })).fulfillLicenseKeyGrant,
  );
  expect(fulfilled.grant.status).toBe('DELIVERED');
  expect(fulfilled.grant.deliveries.map(({ recipient, status }) => [recipient, status])).toEqual([
    ['erika@example.com', 'QUEUED'],
  ]);
  const { licenseKey } = await vendor.revealLicenseKey({ id: fulfilled.grant.licenseKey?.id as string });
  expect(licenseKey).toEqual({ id: fulfilled.grant.licenseKey?.id, key: 'ABCD-1234' });

  const { licenses } = await vendor.licenses({
    first: 1,
    where: { customerId: { in: [customer.id] } },
    withTotal: true,
  });
  expect([licenses.nodes.length, licenses.totalCount, licenses.pageInfo.hasNextPage]).toEqual([1, 2, true]);
  const { wallet: ledger } = await vendor.walletLedger({ id: wallet.id });
  expect(ledger?.ledgerEntries?.nodes.map(({ isCredit, amount }) => [isCredit, amount.amount])).toEqual([
    [false, '39.80'],
    [true, '50.00'],
  ]);
});

test('a call that is not carried out throws, with the code and the request id', async () => {
  const failure = await createClient({ url, token: 'lk_test_wrong' })
    .business()
    .catch((error: unknown) => error);
  expect(failure).toBeInstanceOf(LatchkeyError);
  expect(failure).toMatchObject({ code: 'UNAUTHENTICATED', status: 401, retryable: false });
  expect((failure as LatchkeyError).requestId).toMatch(/^[\w-]{8,64}$/);
  await expect(createClient({ url }).business()).rejects.toMatchObject({ code: 'UNAUTHENTICATED' });
});

test('what the token may not read is null, and what it may not do throws', async () => {
  const business = await newBusiness(api);
  const token = await newApiKey(api, business.test, ['CUSTOMERS_WRITE']);
  const narrow = createClient({ url, token });
  const { customer } = orThrow((await narrow.createCustomer({ input: { firstName: 'Erika' } })).createCustomer);
  expect([customer.name, customer.firstName]).toEqual(['Erika', null]);
  await expect(narrow.customers()).rejects.toMatchObject({ code: 'FORBIDDEN', retryable: false });
});

describe('trying again', () => {
  /** A server that answers with these, one after the other, and counts. */
  let answers: { status: number; headers?: Record<string, string>; body: object | string }[] = [];
  let asked = 0;
  let flaky: Server;
  let flakyUrl: string;

  beforeAll(async () => {
    flaky = createServer((request, response) => {
      asked++;
      request.resume();
      const answer = answers.shift();
      if (!answer) return void request.socket.destroy();
      response.writeHead(answer.status, { 'content-type': 'application/json', ...answer.headers });
      response.end(typeof answer.body === 'string' ? answer.body : JSON.stringify(answer.body));
    });
    await new Promise<void>((resolve) => flaky.listen(0, '127.0.0.1', resolve));
    flakyUrl = `http://127.0.0.1:${(flaky.address() as AddressInfo).port}/graphql`;
  });
  afterAll(() => void flaky.close());

  const away = {
    status: 503,
    headers: { 'retry-after': '0' },
    body: { errors: [{ message: 'away', extensions: { code: 'UNAVAILABLE', requestId: 'r-12345678' } }] },
  };
  const full = { ...away, status: 429 };
  const badGateway = {
    status: 502,
    headers: { 'retry-after': '0', 'content-type': 'text/html' },
    body: '<h1>oops</h1>',
  };
  const customer = { status: 200, body: { data: { customer: { id: 'cus_1' } } } };
  const credited = { status: 200, body: { data: { creditWallet: { userErrors: [] } } } };

  async function attempt(script: typeof answers, call: (client: ReturnType<typeof createClient>) => Promise<unknown>) {
    [answers, asked] = [[...script], 0];
    const outcome = await call(createClient({ url: flakyUrl, timeoutMs: 5_000 })).catch((error: unknown) => error);
    return { outcome, asked };
  }
  const query = (client: ReturnType<typeof createClient>) => client.customer({ id: 'cus_1' });
  const credit = (idempotencyKey?: string) => (client: ReturnType<typeof createClient>) =>
    client.creditWallet({ input: { walletId: 'wal_1', amount: '1', currencyCode: 'EUR', idempotencyKey } });

  test('a query is tried again while the server is away, full, or cut off', async () => {
    expect(await attempt([away, full, customer], query)).toEqual({ outcome: customer.body.data, asked: 3 });
    expect(await attempt([badGateway, customer], query)).toEqual({ outcome: customer.body.data, asked: 2 });
    const cutOff = await attempt([], query);
    expect(cutOff.asked).toBe(3);
    expect(cutOff.outcome).toMatchObject({ code: 'NETWORK', retryable: true, status: null, requestId: null });
  });

  test('after the last attempt the failure is thrown', async () => {
    const { outcome, asked } = await attempt([away, away, away, customer], query);
    expect(asked).toBe(3);
    expect(outcome).toMatchObject({ code: 'UNAVAILABLE', status: 503, requestId: 'r-12345678', retryable: true });
  });

  test('a mutation is tried again only with an idempotency key', async () => {
    expect(await attempt([away, credited], credit('k1'))).toEqual({ outcome: credited.body.data, asked: 2 });
    expect((await attempt([away, credited], credit())).asked).toBe(1);
    expect((await attempt([], credit())).asked).toBe(1);
  });

  test('what will not get better is not tried again', async () => {
    const refusedByServer = { status: 400, body: { errors: [{ message: 'no', extensions: { code: 'BAD_REQUEST' } }] } };
    expect((await attempt([refusedByServer, customer], query)).asked).toBe(1);
  });
});
