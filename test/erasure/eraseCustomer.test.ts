import { mkdtempSync, rmSync } from 'node:fs';
import { access, readdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { forgetErasedMails } from '../../src/mail/forgetErasedMails.js';
import type { Worker } from '../../src/worker.js';
import { newWorker } from '../mail/mailing.js';
import { noMails } from '../support/noMails.js';
import { useApi } from '../support/api.js';
import {
  newApiKey,
  newBusiness,
  newCustomer,
  newOrganization,
  newSession,
  type TestBusiness,
} from '../support/business.js';
import { attachEntitlement, newPackage, newPackagePrice, newProduct, newSubscriptionType } from '../support/catalog.js';
import { expectInvariants } from '../support/invariants.js';
import { changesOf, newGrant, newKeyedOffering, newLicense, newPendingGrant, rowId } from '../support/licenses.js';
import { waitUntil } from '../support/waitUntil.js';
import { creditWallet, newWallet } from '../support/wallets.js';
import { purchaseInput } from '../support/world.js';
import { person, tracesInDatabase, tracesInFiles } from './traces.js';

const dataDir = mkdtempSync(join(tmpdir(), 'latchkey-erasure-'));
const environment = { LATCHKEY_DATA_DIR: dataDir };
const api = useApi(environment);
let worker: Worker;

beforeAll(async () => {
  worker = await newWorker(api, environment, {
    contents: {
      ...noMails,
      'license-key': async (_ctx, { recipient }) => ({
        vars: {
          customerName: `${person.firstName} ${person.lastName} <${recipient}>`,
          productName: 'Studio',
          key: 'AAAAA-BBBBB',
          activationsLimit: null,
          expiresAt: null,
          activationMessage: null,
          brandName: 'Acme',
        },
      }),
    },
  });
});
afterAll(async () => {
  await worker.stop();
  rmSync(dataDir, { recursive: true, force: true });
});

const erase = `mutation ($input: EraseCustomerInput!) { eraseCustomer(input: $input) {
  customer {
    id name number code externalId firstName lastName companyName email isEmailVerified countryCode3Letter locale
    organization { id } erasedAt metadata brand { id } mode version createdAt updatedAt
  }
  userErrors { __typename message path code } } }`;
const erasing = (token: string | null, customerId: string, fields = {}, headers = {}) =>
  api.call({ token, query: erase, variables: { input: { customerId, ...fields } }, headers });
const codes = (payload: { userErrors: { code: string; path: string[] }[] }) =>
  payload.userErrors.map(({ code, path }) => `${code} ${path.join('.')}`);

/** Runs a mutation and gives its payload's refusals. */
async function refused(token: string, name: string, input: object): Promise<string[]> {
  const type = `${name[0]?.toUpperCase()}${name.slice(1)}Input`;
  const query = `mutation ($input: ${type}!) { ${name}(input: $input) { userErrors { code path } } }`;
  const answer = await api.call({ token, query, variables: { input } });
  expect(answer.errors).toBeUndefined();
  return codes(answer.data[name]);
}

/** A person of whom every table knows: with licenses of both kinds, mails kept and waiting, a wallet, an order and a session. */
async function newPerson(business: TestBusiness) {
  const { live } = business;
  const organizationId = await newOrganization(api, live, { name: 'Konzern' });
  const customerId = await newCustomer(api, live, { ...person, organizationId, idempotencyKey: `new-${person.email}` });
  const session = await newSession(api, live, customerId);
  const primaryProductId = await newProduct(api, live);
  await attachEntitlement(api, live, { target: { productId: primaryProductId } });
  const packageId = await newPackage(api, live, { primaryProductId });
  const subscriptionTypeId = await newSubscriptionType(api, live);
  await newPackagePrice(api, live, { packageId, subscriptionTypeId });
  const walletId = await newWallet(api, live, { customerId });
  await creditWallet(api, live, walletId, '100');
  const bought = await api.data({
    token: live,
    query: `mutation ($input: PurchaseLicensesByWalletInput!) { purchaseLicensesByWallet(input: $input) {
      licenses { id } order { id } userErrors { message } } }`,
    variables: {
      input: purchaseInput(
        { walletId, packageId, subscriptionTypeId, customerId },
        { description: 'for Zyxwina', tags: ['zyxnote', 'desk'], idempotencyKey: `buy-${person.email}` },
      ),
    },
  });
  const assigned = await newLicense(api, live, {
    customerId,
    productOfferingId: await newKeyedOffering(api, live),
    assignedTo: { type: 'PERSON', id: 'zyx-0815', displayName: 'Zyxwina', details: { zyxnote: 'x' } },
    details: { zyxnote: 'y' },
    metadata: { street: 'zyxstreet' },
  });
  await api.data({
    token: live,
    query: 'mutation ($input: PauseLicenseInput!) { pauseLicense(input: $input) { userErrors { message } } }',
    variables: { input: { licenseId: assigned, reason: 'Zyxwina is on leave' } },
  });
  const grantId = await newGrant(api, live, { customerId, metadata: { zyxnote: 'gift' } });
  await api.data({
    token: live,
    query: 'mutation ($input: RevokeGrantInput!) { revokeGrant(input: $input) { userErrors { message } } }',
    variables: { input: { grantId, note: 'asked for by Zyxwina' } },
  });
  const pendingId = await newPendingGrant(api, live, { customerId });
  const key = await noteOnKeys(live, { assigned, licenseId: bought.purchaseLicensesByWallet.licenses[0].id });
  const licenseId = bought.purchaseLicensesByWallet.licenses[0].id as string;
  const orderId = bought.purchaseLicensesByWallet.order.id as string;
  const shop = { walletId, packageId, subscriptionTypeId, customerId };
  return { ...shop, session, key, assigned, licenseId, orderId, grantId, pendingId };
}

/** What vendor and devices say about the person with keys: on one that was switched off, and of two devices, one of which ended. */
async function noteOnKeys(
  live: string,
  { assigned, licenseId }: { assigned: string; licenseId: string },
): Promise<string> {
  const mutate = (name: string, input: object, fields: string) =>
    api.data({
      token: live,
      query: `mutation ($input: ${name[0]?.toUpperCase()}${name.slice(1)}Input!) { ${name}(input: $input) { ${fields} userErrors { message } } }`,
      variables: { input },
    });
  const { issueLicenseKey } = await mutate('issueLicenseKey', { licenseId: assigned }, 'licenseKey { id }');
  const licenseKeyId = issueLicenseKey.licenseKey.id as string;
  await mutate('updateLicenseKey', { licenseKeyId, metadata: { zyxnote: 'spare' } }, '');
  await mutate('disableLicenseKey', { licenseKeyId, reason: 'Zyxwina lost it' }, '');
  const { license } = await api.data({
    token: live,
    query: 'query ($id: ID!) { license(id: $id) { licenseKeys { key } } }',
    variables: { id: licenseId },
  });
  const { key } = license.licenseKeys[0];
  const about = { key, name: "Zyxwina's laptop", metadata: { zyxnote: 'silver' } };
  for (const fingerprint of ['desk-of-zyx-0815', 'laptop-of-zyx-0815']) {
    await mutate('activateLicenseKey', { ...about, fingerprint }, '');
  }
  await mutate('deactivateLicenseKey', { key, fingerprint: 'laptop-of-zyx-0815' }, '');
  return key;
}

/** The device that had its seat is still known, and takes it again; another one is seated. Nothing is noted of either. */
async function deviceWorksOn(token: string, key: string): Promise<void> {
  const device = { key, fingerprint: 'desk-of-zyx-0815', name: 'Zyxwina', metadata: { zyxnote: 'gold' } };
  const check = `query ($input: ValidateLicenseKeyInput!) { validateLicenseKey(input: $input) {
    valid activation { status fingerprint name metadata } activationsUsed } }`;
  const seat = (mutation: string, input: object) =>
    api.data({
      token,
      query: `mutation ($input: ${mutation}Input!) { done: ${mutation[0]?.toLowerCase()}${mutation.slice(1)}(input: $input) {
        activation { id } userErrors { message } } }`,
      variables: { input },
    });
  const seen = async (fingerprint: string) =>
    (await api.data({ token, query: check, variables: { input: { key, fingerprint } } })).validateLicenseKey;
  const hashed = {
    status: 'ACTIVE',
    fingerprint: expect.stringMatching(/^erased:[0-9a-f]{64}$/),
    name: null,
    metadata: {},
  };
  expect(await seen(device.fingerprint)).toEqual({ valid: true, activation: hashed, activationsUsed: 1 });
  const { done: first } = await seat('ActivateLicenseKey', device);
  await seat('HeartbeatActivation', { key, fingerprint: device.fingerprint });
  await seat('DeactivateLicenseKey', { key, fingerprint: device.fingerprint });
  expect((await seat('ActivateLicenseKey', device)).done).toEqual(first);
  await seat('ActivateLicenseKey', { ...device, fingerprint: 'zyx-0815-phone' });
  expect(await seen('zyx-0815-phone')).toEqual({ valid: true, activation: hashed, activationsUsed: 2 });
  expect(await tracesInDatabase(api)).toEqual([]);
}

async function mailsAreOut(): Promise<void> {
  worker.wake();
  await waitUntil('all mails are kept', async () => {
    const [row] = await api.db.sql<{ count: number }>(
      null,
      "SELECT count(*)::int FROM deliveries WHERE status = 'QUEUED'",
      [],
    );
    return row?.count === 0;
  });
}

test('nothing of the person is left in the database or the data folder, and everything else goes on', async () => {
  const business = await newBusiness(api);
  const { live } = business;
  const made = await newPerson(business);
  await mailsAreOut();
  // The net catches: each of these places knew the person before.
  const before = await tracesInDatabase(api);
  for (const column of [
    'customers.email',
    'changes.snapshot',
    'changes.reason',
    'deliveries.recipient',
    'order_lines.description',
    'license_keys.metadata',
    'license_keys.disabled_reason',
    'activations.name',
    'activations.metadata',
    'activations.fingerprint',
  ])
    expect(before.map((place) => place.split(':')[0])).toContain(column);
  expect((await tracesInFiles(dataDir)).length).toBeGreaterThanOrEqual(4);

  api.setNow('2026-12-24T12:00:00.000Z');
  const answer = await erasing(live, made.customerId);
  api.setNow(null);
  expect(answer.errors).toBeUndefined();
  const { customer, userErrors } = answer.data.eraseCustomer;
  expect(userErrors).toEqual([]);
  expect(customer).toEqual({
    id: made.customerId,
    name: expect.stringMatching(/^K\d{9}$/),
    number: customer.name,
    ...{ code: null, externalId: null, firstName: null, lastName: null, companyName: null, email: null },
    ...{ isEmailVerified: false, countryCode3Letter: null, locale: null, organization: null, metadata: {} },
    erasedAt: '2026-12-24T12:00:00.000Z',
    brand: { id: business.brandId },
    mode: 'LIVE',
    version: 2,
    createdAt: expect.any(String),
    updatedAt: '2026-12-24T12:00:00.000Z',
  });
  expect(await tracesInDatabase(api)).toEqual([]);
  expect(await tracesInFiles(dataDir)).toEqual([]);
  expect(await readdir(join(dataDir, 'mail'))).toEqual([]);

  // The books and the rights are as they were.
  await expectInvariants(api.db);
  const seen = await api.data({
    token: live,
    query: `query ($id: ID!) { customer(id: $id) {
      licenses(orderBy: { direction: ASC }) { nodes { id status isActive assignedTo { id } details description tags metadata licenseKeys { status }
        history { nodes { type reason before after } } } }
      grants(orderBy: { direction: ASC }) { nodes { status metadata revocationNote deliveries { status failure recipient text } } }
      wallets { nodes { balance { amount } ledgerEntries { nodes { amount { amount } } } } }
      orders { nodes { id status total { amount } lines { description quantity } } } } }`,
    variables: { id: made.customerId },
  });
  const { licenses, grants, wallets, orders } = seen.customer;
  expect(licenses.nodes).toMatchObject([
    {
      id: made.licenseId,
      status: 'ACTIVE',
      isActive: true,
      description: null,
      tags: [],
      licenseKeys: [{ status: 'ACTIVE' }],
    },
    {
      id: made.assigned,
      status: 'PAUSED',
      assignedTo: null,
      details: null,
      metadata: {},
      licenseKeys: [{ status: 'ACTIVE' }, { status: 'DISABLED' }],
    },
  ]);
  expect(licenses.nodes[1].history.nodes).toMatchObject([
    { type: 'license.paused', reason: null, before: { status: 'ACTIVE' }, after: { status: 'PAUSED' } },
    { type: 'license.created', reason: null, before: null, after: null },
  ]);
  expect(grants.nodes.map(({ status, metadata, revocationNote }: any) => [status, metadata, revocationNote])).toEqual([
    ['DELIVERED', {}, null],
    ['REVOKED', {}, null],
    ['REVOKED', {}, null],
    ['PENDING', {}, null],
  ]);
  expect(grants.nodes[0].deliveries).toEqual([{ status: 'SENT', failure: null, recipient: null, text: null }]);
  expect(wallets.nodes).toEqual([
    {
      balance: { amount: '90.00' },
      ledgerEntries: { nodes: [{ amount: { amount: '10.00' } }, { amount: { amount: '100.00' } }] },
    },
  ]);
  expect(orders.nodes).toEqual([
    { id: made.orderId, status: 'COMPLETED', total: { amount: '10.00' }, lines: [{ description: null, quantity: 1 }] },
  ]);

  await deviceWorksOn(live, made.key);

  // What was recorded says that it was erased, and only what held something of the person does.
  const [created, erased] = await changesOf(api, made.customerId);
  expect([created?.type, Object.keys(created?.snapshot ?? {}).sort()]).toEqual([
    'customer.created',
    ['brandId', 'businessId', 'createdAt', 'erasedAt', 'id', 'mode', 'number', 'updatedAt', 'version'],
  ]);
  expect(erased).toMatchObject({
    type: 'customer.erased',
    sequence: 2,
    after: { erasedAt: '2026-12-24T12:00:00.000Z' },
  });
  const touched = await api.db.sql<{ type: string; erased: boolean }>(
    null,
    'SELECT type, bool_and(erased_at IS NOT NULL) AS erased FROM changes WHERE business_id = $1 GROUP BY type ORDER BY type',
    [rowId(business.id)],
  );
  const isErased = new Map(touched.map(({ type, erased: all }) => [type, all]));
  expect(
    [
      'customer.created',
      'license.created',
      'license.paused',
      'product.created',
      'wallet.credited',
      'customer.erased',
    ].map((type) => isErased.get(type)),
  ).toEqual([true, true, true, false, false, false]);
});

test('a mail that waits is given up, also when its license is resumed; one that is being written leaves no file', async () => {
  const business = await newBusiness(api);
  const { live } = business;
  let begun = () => {};
  let goOn = () => {};
  const isBegun = new Promise<void>((resolve) => (begun = resolve));
  const mayGoOn = new Promise<void>((resolve) => (goOn = resolve));
  await worker.stop();
  const slow = await newWorker(api, environment, {
    contents: {
      ...noMails,
      'license-key': async () => {
        begun();
        await mayGoOn;
        const vars = { customerName: 'Zyxwina', productName: 'Studio', key: 'A', activationsLimit: null };
        return { vars: { ...vars, expiresAt: null, activationMessage: null, brandName: 'Acme' } };
      },
    },
  });
  const customerId = await newCustomer(api, live, person);
  const licenseId = await newLicense(api, live, { customerId, productOfferingId: await newKeyedOffering(api, live) });
  slow.wake();
  await isBegun;
  expect((await erasing(live, customerId)).data.eraseCustomer.userErrors).toEqual([]);
  goOn();
  await slow.stop();
  const rows = await api.db.prisma.delivery.findMany({ where: { customerId: rowId(customerId) } });
  expect(rows).toMatchObject([{ status: 'FAILED', failure: 'NO_ADDRESS', recipient: null, attempts: 1 }]);
  expect(await tracesInFiles(dataDir)).toEqual([]);
  for (const name of ['pauseLicense', 'resumeLicense']) expect(await refused(live, name, { licenseId })).toEqual([]);
  expect((await api.db.prisma.delivery.findMany({ where: { customerId: rowId(customerId) } }))[0]?.status).toBe(
    'FAILED',
  );
  expect(await tracesInDatabase(api)).toEqual([]);
  worker = await newWorker(api, environment);
});

test('files that were left are removed by the schedule; those of others stay', async () => {
  const business = await newBusiness(api);
  const offering = await newKeyedOffering(api, business.live);
  const [gone, stays] = [
    await newCustomer(api, business.live, person),
    await newCustomer(api, business.live, { email: 'kept@example.com' }),
  ];
  for (const customerId of [gone, stays])
    await newLicense(api, business.live, { customerId, productOfferingId: offering });
  await mailsAreOut();
  // As after a crash between the commit and the removal.
  await api.db.sql(null, 'UPDATE deliveries SET recipient = NULL WHERE customer_id = $1', [rowId(gone)]);
  const fileOf = async (customerId: string) =>
    (await api.db.prisma.delivery.findFirstOrThrow({ where: { customerId: rowId(customerId) } })).file;
  const [lost, kept] = [join(dataDir, (await fileOf(gone)) as string), join(dataDir, (await fileOf(stays)) as string)];
  const parts = { db: api.db, mailFolder: join(dataDir, 'mail'), now: new Date() };
  expect(await forgetErasedMails({ ...parts, mailFolder: null })).toBe(0);
  expect([await forgetErasedMails(parts), await forgetErasedMails(parts)]).toEqual([1, 0]);
  await expect(access(lost)).rejects.toThrow('ENOENT');
  await access(kept);
  expect([await fileOf(gone), await fileOf(stays)]).toEqual([null, `mail/${kept.split('/').at(-1)}`]);
});

test('an erased customer cannot be found, changed or given anything new; the same person is a new customer', async () => {
  const business = await newBusiness(api);
  const { live } = business;
  const made = await newPerson(business);
  expect((await erasing(live, made.customerId)).data.eraseCustomer.userErrors).toEqual([]);
  const { customer } = await api.data({
    token: live,
    query: 'query ($id: ID!) { customer(id: $id) { number version } }',
    variables: { id: made.customerId },
  });
  const { customerId } = made;
  const path = 'CUSTOMER_ERASED input.customerId';
  expect(await refused(live, 'updateCustomer', { customerId, firstName: 'Zyxwina' })).toEqual([path]);
  expect(await refused(live, 'createWallet', { customerId, currencyCode: 'EUR' })).toEqual([path]);
  expect(await refused(live, 'issueCustomerSession', { customerId })).toEqual([path]);
  const offering = await newKeyedOffering(api, live);
  expect(await refused(live, 'createLicense', { customerId, productOfferingId: offering })).toEqual([path]);
  const { entitlements } = await api.data({ token: live, query: '{ entitlements(first: 1) { nodes { id } } }' });
  expect(await refused(live, 'issueGrant', { customerId, entitlementId: entitlements.nodes[0].id })).toEqual([path]);
  expect(await refused(live, 'purchaseLicensesByWallet', purchaseInput(made))).toEqual([path]);
  const byNumber = purchaseInput(made, { customerId: null, customerCode: customer.number });
  expect(await refused(live, 'purchaseLicensesByWallet', byNumber)).toEqual(['CUSTOMER_ERASED input.customerCode']);
  const asSession = await api.call({ token: made.session, query: `{ customer(id: "${customerId}") { id } }` });
  expect(asSession.status).toBe(401);

  const found = await api.data({
    token: live,
    query: `query ($number: String!) {
      byName: customers(search: "zyxwina") { nodes { id } } byNumber: customers(search: $number) { nodes { id } }
      exactly: customers(where: { number: { in: [$number] } }) { nodes { id } }
      email: customers(where: { email: { in: ["${person.email}"] } }) { nodes { id } }
      erased: customers(where: { isErased: true }) { nodes { id } } rest: customers(where: { isErased: false }) { nodes { id } } }`,
    variables: { number: customer.number },
  });
  expect(found).toEqual({
    byName: { nodes: [] },
    byNumber: { nodes: [] },
    exactly: { nodes: [{ id: customerId }] },
    email: { nodes: [] },
    erased: { nodes: [{ id: customerId }] },
    rest: { nodes: [] },
  });
  const upsert = await api.data({
    token: live,
    query:
      'mutation ($input: UpsertCustomerInput!) { upsertCustomer(input: $input) { customer { id } created userErrors { message } } }',
    variables: { input: person },
  });
  expect([upsert.upsertCustomer.created, upsert.upsertCustomer.customer.id === customerId]).toEqual([true, false]);
  // A late retry of the call that made the erased customer does not make it again.
  const retry = await api.call({
    token: live,
    query:
      'mutation ($input: CreateCustomerInput!) { createCustomer(input: $input) { customer { id } userErrors { code } } }',
    variables: { input: { ...person, idempotencyKey: `new-${person.email}` } },
  });
  expect([retry.status, retry.errors?.[0]?.extensions.code]).toEqual([409, 'IDEMPOTENCY_CONFLICT']);
  // The books go on: what is in the wallet can be moved, and a grant that waits can be fulfilled, without a mail.
  expect(await refused(live, 'creditWallet', { walletId: made.walletId, amount: '1', currencyCode: 'USD' })).toEqual(
    [],
  );
  expect(await refused(live, 'fulfillLicenseKeyGrant', { grantId: made.pendingId, key: 'LATE-KEY' })).toEqual([]);
  const [late] = await api.db.prisma.delivery.findMany({ where: { grantId: rowId(made.pendingId) } });
  expect([late?.status, late?.failure]).toEqual(['FAILED', 'NO_ADDRESS']);
  // So do its keys, of which no more words are noted.
  const { licenseKeys } = await api.data({
    token: live,
    query: '{ licenseKeys(where: { key: "LATE-KEY" }) { nodes { id } } }',
  });
  const licenseKeyId: string = licenseKeys.nodes[0].id;
  for (const [mutation, words] of [
    ['updateLicenseKey', { activationsLimit: 3, metadata: { for: 'Zyxwina' } }],
    ['rotateLicenseKey', { reason: 'Zyxwina lost it' }],
    ['disableLicenseKey', { reason: 'Zyxwina passed it on' }],
    ['enableLicenseKey', { reason: 'Zyxwina asked' }],
  ] as const) {
    const field = 'metadata' in words ? 'metadata' : 'reason';
    expect(await refused(live, mutation, { licenseKeyId, ...words })).toEqual([`CUSTOMER_ERASED input.${field}`]);
    const bare = { ...words, [field]: mutation === 'updateLicenseKey' ? null : ' ' };
    expect(await refused(live, mutation, { licenseKeyId, ...bare })).toEqual([]);
  }
  await expectInvariants(api.db);
});

test('erasing again, also many times at once or under one key, is one erasure', async () => {
  const { live } = await newBusiness(api);
  const customerId = await newCustomer(api, live, person);
  const answers = await Promise.all(
    Array.from({ length: 12 }, (_, i) => erasing(live, customerId, i % 2 ? { idempotencyKey: 'erase' } : {})),
  );
  expect(answers.flatMap(({ errors }) => errors ?? [])).toEqual([]);
  expect(new Set(answers.map(({ data }) => JSON.stringify(data.eraseCustomer))).size).toBe(1);
  expect((await erasing(live, customerId, { expectedVersion: 1 })).data.eraseCustomer).toMatchObject({
    customer: { version: 2 },
    userErrors: [],
  });
  expect((await changesOf(api, customerId)).map(({ type }) => type)).toEqual(['customer.created', 'customer.erased']);
  await expect(
    api.db.writer.pool.query('UPDATE customers SET erased_at = NULL WHERE id = $1', [rowId(customerId)]),
  ).rejects.toThrow('an erased customer stays erased');
  await expect(
    api.db.writer.pool.query("UPDATE customers SET email = 'back@example.com' WHERE id = $1", [rowId(customerId)]),
  ).rejects.toThrow('customers_erased');
});

test('refused, it changes nothing: unknown, foreign, of the other mode or brand, stale', async () => {
  const [mine, theirs] = [await newBusiness(api), await newBusiness(api)];
  const customerId = await newCustomer(api, mine.live, person);
  const foreign = await erasing(theirs.live, customerId);
  const unknown = await erasing(mine.live, 'cus_nonsense');
  expect(JSON.stringify(foreign.data)).toBe(JSON.stringify(unknown.data));
  expect(codes(foreign.data.eraseCustomer)).toEqual(['CUSTOMER_NOT_FOUND input.customerId']);
  expect(codes((await erasing(mine.test, customerId)).data.eraseCustomer)).toEqual(['MODE_MISMATCH input.customerId']);
  expect(codes((await erasing(mine.live, customerId, { expectedVersion: 3 })).data.eraseCustomer)).toEqual([
    'STALE_OBJECT input.expectedVersion',
  ]);
  const url = 'other.erase.example';
  await api.data({
    token: mine.live,
    query: `mutation { createBrand(input: { name: "Other", url: "${url}" }) { brand { id } userErrors { code } } }`,
  });
  const other = await erasing(mine.live, customerId, {}, { 'brand-url': url });
  expect(codes(other.data.eraseCustomer)).toEqual(['BRAND_MISMATCH input.customerId']);
  const { customer } = await api.data({
    token: mine.live,
    query: 'query ($id: ID!) { customer(id: $id) { email erasedAt version } }',
    variables: { id: customerId },
  });
  expect(customer).toEqual({ email: person.email, erasedAt: null, version: 1 });
  expect((await erasing(mine.live, customerId)).data.eraseCustomer.userErrors).toEqual([]);
});

test('it needs CUSTOMERS_WRITE, and is not for sessions or the public', async () => {
  const { live } = await newBusiness(api);
  const customerId = await newCustomer(api, live);
  const code = async (token: string | null) => (await erasing(token, customerId)).errors?.[0]?.extensions.code;
  expect(await code(await newApiKey(api, live, ['CUSTOMERS_READ', 'LICENSES_WRITE']))).toBe('FORBIDDEN');
  expect(await code(await newSession(api, live, customerId))).toBe('FORBIDDEN');
  expect(await code(null)).toBe('UNAUTHENTICATED');
  expect((await changesOf(api, customerId)).map(({ type }) => type)).toEqual(['customer.created']);
});
