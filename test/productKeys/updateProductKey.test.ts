import { randomUUID } from 'node:crypto';
import { expect, test } from '@jest/globals';
import { readConfig } from '../../src/config.js';
import { checkKeyring, keyringOf } from '../../src/keyring.js';
import { rekeyLicenseKeys } from '../../src/licenseKeys/rekeyLicenseKeys.js';
import {
  productKeyCreatedMail,
  productKeyDisabledMail,
  trialExpiringMail,
} from '../../src/productKeys/productKeyMail.js';
import { renderMail } from '../../src/mail/templates.js';
import { person, tracesInDatabase } from '../erasure/traces.js';
import { testEnvironment, useApi } from '../support/api.js';
import { newBusiness, newCustomer, newOrganization } from '../support/business.js';
import { newProduct } from '../support/catalog.js';
import { changesOf, rowId } from '../support/licenses.js';
import { callProductKey, newApplication, newProductKey } from '../support/productKeys.js';

const api = useApi();
const NOW = '2026-03-01T12:00:00.000Z';
const codes = (payload: any) => payload.userErrors.map(({ code, path }: any) => `${code} ${path.slice(1).join('.')}`);

const detail = `query ($id: ID!) { productKey(id: $id) { description providerOrganization { id } organization { id } products { id }
  expiration externalQuoteId quota overQuota overage valid quotaNotificationThreshold applications { id externalId }
  applicationExternalId notifyOwnerOnQuotaThreshold notificationAddressesOnQuotaThreshold disableOnPaymentFailed namedConsumers
  namedOrganizations { id } dataProviderConfigurationId allowMidPeriodCancellation notifyOnTrialExpiry tags metadata version } }`;
const read = async (token: string, id: string) =>
  (await api.data({ token, query: detail, variables: { id } })).productKey;

test('what is given is changed, what is absent stays, null clears; a change of nothing writes nothing', async () => {
  api.setNow(NOW);
  const { live } = await newBusiness(api);
  const [organization, productId] = [await newOrganization(api, live), await newProduct(api, live)];
  const [first, second] = [await newApplication(api, live), await newApplication(api, live, { externalId: 'gw-2' })];
  const id = await newProductKey(api, live, {
    quota: '10',
    consumedQuota: '12',
    namedConsumers: ['a@example.com'],
    tags: ['x'],
  });
  const input = {
    productKeyId: id,
    description: 'Other',
    providerOrganizationId: organization,
    organizationId: organization,
    productIds: [productId],
    expiration: Date.parse('2027-01-01T00:00:00Z'),
    externalQuoteId: 'Q-1',
    quota: '11',
    overQuota: 'METER',
    quotaNotificationThreshold: '50',
    applications: [first],
    applicationExternalId: 'gw-2',
    notifyOwnerOnQuotaThreshold: true,
    notificationAddressesOnQuotaThreshold: ['q@example.com'],
    disableOnPaymentFailed: true,
    namedConsumers: ['b@example.com', 'B@example.com'],
    namedOrganizations: [organization],
    dataProviderConfigurationId: 'dp',
    allowMidPeriodCancellation: true,
    notifyOnTrialExpiry: true,
    tags: ['y', 'z'],
    metadata: { a: 1 },
    expectedVersion: 1,
  };
  const changed = await callProductKey(api, live, 'updateProductKey', input);
  expect([changed.productKey.version, changed.productKey.valid, changed.userErrors]).toEqual([3, true, []]); // Beyond the new threshold at once: that is told too.
  const expected = {
    description: 'Other',
    providerOrganization: { id: organization },
    organization: { id: organization },
    products: [{ id: productId }],
    expiration: '2027-01-01T00:00:00.000Z',
    externalQuoteId: 'Q-1',
    quota: '11',
    overQuota: 'METER',
    overage: '1',
    valid: true,
    quotaNotificationThreshold: '50',
    applications: [
      { id: first, externalId: null },
      { id: second, externalId: 'gw-2' },
    ],
    applicationExternalId: 'gw-2',
    notifyOwnerOnQuotaThreshold: true,
    notificationAddressesOnQuotaThreshold: ['q@example.com'],
    disableOnPaymentFailed: true,
    namedConsumers: ['b@example.com'],
    namedOrganizations: [{ id: organization }],
    dataProviderConfigurationId: 'dp',
    allowMidPeriodCancellation: true,
    notifyOnTrialExpiry: true,
    tags: ['y', 'z'],
    metadata: { a: 1 },
    version: 3,
  };
  expect(await read(live, id)).toEqual(expected);
  const [, change] = await changesOf(api, id);
  expect([change?.type, change?.after?.quota, change?.after?.namedConsumersCount]).toEqual([
    'product_key.updated',
    '11',
    1,
  ]);
  expect(JSON.stringify(change)).not.toContain('example.com');
  const { expectedVersion: _, ...same } = input;
  await callProductKey(api, live, 'updateProductKey', same);
  await callProductKey(api, live, 'updateProductKey', { productKeyId: id });
  expect(await read(live, id)).toEqual(expected);
  const nulls = ['providerOrganizationId', 'organizationId', 'expiration', 'externalQuoteId', 'quota', 'applications'];
  const more = ['quotaNotificationThreshold', 'applicationExternalId', 'notificationAddressesOnQuotaThreshold'];
  const rest = ['namedConsumers', 'namedOrganizations', 'dataProviderConfigurationId', 'tags', 'metadata'];
  const cleared = Object.fromEntries([...nulls, ...more, ...rest].map((field) => [field, null]));
  expect(codes(await callProductKey(api, live, 'updateProductKey', { productKeyId: id, ...cleared }))).toEqual([]);
  expect(await read(live, id)).toMatchObject({
    ...{
      providerOrganization: null,
      organization: null,
      expiration: null,
      externalQuoteId: null,
      quota: null,
      overage: '0',
    },
    ...{
      applications: [],
      quotaNotificationThreshold: null,
      applicationExternalId: null,
      namedConsumers: [],
      tags: [],
    },
    ...{
      notificationAddressesOnQuotaThreshold: [],
      namedOrganizations: [],
      dataProviderConfigurationId: null,
      metadata: {},
    },
    version: 4,
  });
  api.setNow(null);
});

test('what cannot be is refused by field, and nothing changes; of many that expect one version, one changes', async () => {
  const { live } = await newBusiness(api);
  const id = await newProductKey(api, live, { namedConsumers: ['a@example.com'] });
  const before = await read(live, id);
  const refused = async (fields: Record<string, unknown>) =>
    codes(await callProductKey(api, live, 'updateProductKey', { productKeyId: id, ...fields }));
  expect(
    await refused({ description: null, productIds: null, overQuota: null, notifyOnTrialExpiry: null, quota: '-1' }),
  ).toEqual([
    'INVALID_INPUT quota',
    'INVALID_INPUT productIds',
    'INVALID_INPUT description',
    'INVALID_INPUT overQuota',
    'INVALID_INPUT notifyOnTrialExpiry',
  ]);
  const unknown = {
    applications: ['app_x'],
    productIds: ['prod_x'],
    organizationId: 'org_x',
    expiration: 86_400_000,
    namedConsumers: [],
  };
  expect(await refused(unknown)).toEqual([
    'INVALID_EXPIRY expiration',
    'ORGANIZATION_NOT_FOUND organizationId',
    'PRODUCT_NOT_FOUND productIds.0',
    'APPLICATION_NOT_FOUND applications.0',
  ]);
  expect(await refused({ expectedVersion: 7, description: 'x' })).toEqual(['STALE_OBJECT expectedVersion']);
  expect(await read(live, id)).toEqual(before);
  const made = await Promise.all(
    Array.from({ length: 8 }, (_, i) => refused({ description: `No ${i}`, quota: String(i), expectedVersion: 1 })),
  );
  expect(made.flat()).toEqual(Array(7).fill('STALE_OBJECT expectedVersion'));
});

test('a start moves while it has not come: trial, notice, first period and expiration go by it; then it stays', async () => {
  api.setNow(NOW);
  const { live } = await newBusiness(api);
  const productIds = [await newProduct(api, live, { trialDays: 10, quotaPeriod: 'MONTH', quotaAnchor: 'CALENDAR' })];
  const fields = { productIds, start: '2026-03-05T00:00:00Z', expiration: '2026-06-01T00:00:00Z' };
  const id = await newProductKey(api, live, { ...fields, notifyOnTrialExpiry: true, consumedQuota: '3' });
  const update = (more: Record<string, unknown>) =>
    callProductKey(
      api,
      live,
      'updateProductKey',
      { productKeyId: id, ...more },
      'productKey { quotaPeriodStart quotaPeriodEnd }',
    );
  const before = await read(live, id);
  expect(codes(await update({ start: '2026-06-01T00:00:00Z' }))).toEqual(['INVALID_INPUT start']);
  expect(codes(await update({ start: null }))).toEqual(['INVALID_INPUT start']);
  const crossed = { start: '2026-07-01T00:00:00Z', expiration: '2026-07-01T00:00:00Z' };
  expect(codes(await update(crossed))).toEqual(['INVALID_EXPIRY expiration']);
  expect(await read(live, id)).toEqual(before);
  const start = Date.parse('2026-05-20T00:00:00Z');
  const moved = await update({ start, expiration: '2026-07-01T00:00:00Z' });
  expect(moved.productKey).toMatchObject({
    ...{ status: 'SCHEDULED', start: '2026-05-20T00:00:00.000Z', trialEndsAt: '2026-05-30T00:00:00.000Z', version: 2 },
    ...{ quotaPeriodStart: '2026-05-20T00:00:00.000Z', quotaPeriodEnd: '2026-06-01T00:00:00.000Z', consumedQuota: '3' },
  });
  const [row] = await api.db.sql(null, 'SELECT trial_notice_at AS at, due_at AS due FROM product_keys WHERE id = $1', [
    rowId(id),
  ]);
  expect(row).toEqual({ at: new Date('2026-05-27T00:00:00Z'), due: new Date('2026-05-20T00:00:00Z') });
  const disabled = await newProductKey(api, live, { ...fields, valid: false });
  const begun = { productKeyId: disabled, start: NOW };
  expect((await callProductKey(api, live, 'updateProductKey', begun)).productKey).toMatchObject({
    ...{ status: 'DISABLED', start: NOW, trialEndsAt: '2026-03-11T12:00:00.000Z' },
  });
  // Now: it begins at once, and says so.
  const now = await Promise.all(Array.from({ length: 4 }, () => update({ start: NOW })));
  expect(now.flatMap(codes)).toEqual([]);
  expect(now[0].productKey).toMatchObject({ status: 'TRIALING', start: NOW, quotaPeriodStart: NOW, version: 4 });
  const types = (await changesOf(api, id)).map(({ type }) => type);
  expect(types).toEqual(['created', 'updated', 'updated', 'trial_started'].map((type) => `product_key.${type}`));
  expect((await update({ start: '2026-03-02T00:00:00Z' })).userErrors).toMatchObject([
    { code: 'PRODUCT_KEY_STARTED', path: ['input', 'start'], startedAt: NOW },
  ]);
  expect(codes(await update({ start: NOW, description: 'Other' }))).toEqual([]);
  api.setNow(null);
});

test("a rotated key is found by its new text and the old one, which is nobody else's", async () => {
  api.setNow(NOW);
  const { live } = await newBusiness(api);
  const [old, next] = [randomUUID(), randomUUID()];
  const id = await newProductKey(api, live, { key: old });
  const graceUntil = '2026-03-02T12:00:00.000Z';
  const rotate = (more: Record<string, unknown>) =>
    callProductKey(api, live, 'rotateProductKey', { productKeyId: id, ...more });
  expect(codes(await rotate({ key: 'x', graceUntil: NOW, reason: 'x'.repeat(2001) }))).toEqual([
    ...['INVALID_INPUT key', 'INVALID_EXPIRY graceUntil', 'INVALID_INPUT reason'],
  ]);
  const rotated = await rotate({ key: next, graceUntil, reason: 'Leaked' });
  expect([rotated.productKey.graceUntil, rotated.productKey.version, rotated.userErrors]).toEqual([graceUntil, 2, []]);
  const query = `query ($a: String, $b: String) { a: productKeys(where: { key: $a }) { nodes { id key } } b: productKeys(where: { key: $b }) { nodes { id } } }`;
  const found = await api.data({ token: live, query, variables: { a: next, b: old } });
  expect([found.a.nodes, found.b.nodes]).toEqual([[{ id, key: next }], [{ id }]]);
  expect(codes(await rotate({ key: old }))).toEqual(['PRODUCT_KEY_TAKEN key']);
  const made = await Promise.all(Array.from({ length: 6 }, () => rotate({ idempotencyKey: 'once' })));
  expect([made.flatMap(codes), new Set(made.map(({ productKey }) => productKey.version)).size]).toEqual([[], 1]);
  expect(made[0].productKey.graceUntil).toBe(null);
  const [, change] = await changesOf(api, id);
  expect([change?.type, change?.reason]).toEqual(['product_key.rotated', 'Leaked']);
  expect(JSON.stringify(await changesOf(api, id))).not.toContain(next);
  api.setNow(null);
});

test('secrets are rotated under product keys as under license keys', async () => {
  const { live } = await newBusiness(api);
  const [old, next] = [randomUUID(), randomUUID()];
  const id = await newProductKey(api, live, { key: old });
  await callProductKey(api, live, 'rotateProductKey', { productKeyId: id, key: next });
  const secret = (fill: number) => Buffer.alloc(32, fill).toString('base64');
  const keyringWith = (hmac: string, encryption: string) =>
    keyringOf(readConfig({ ...testEnvironment, LATCHKEY_HMAC_KEYS: hmac, LATCHKEY_ENCRYPTION_KEYS: encryption }));
  const both = keyringWith(`h2:${secret(3)},h1:${secret(1)}`, `e2:${secret(4)},e1:${secret(2)}`);
  const alone = keyringWith(`h2:${secret(3)}`, `e2:${secret(4)}`);
  await checkKeyring(api.db, both, new Date());
  await checkKeyring(api.db, keyringOf(readConfig(testEnvironment)), new Date());
  await expect(checkKeyring(api.db, alone, new Date())).rejects.toThrow('LATCHKEY_HMAC_KEYS');
  const parts = { db: api.db, mailFolder: null, clock: () => new Date() };
  const count = async () => {
    const [row] = await api.db.sql<{ h1: number; h2: number }>(
      null,
      `SELECT count(*) FILTER (WHERE hmac_key_id = 'h1')::int AS h1, count(*) FILTER (WHERE hmac_key_id = 'h2')::int AS h2
        FROM product_key_lookups WHERE product_key_id = $1`,
      [rowId(id)],
    );
    return [row?.h1, row?.h2];
  };
  await rekeyLicenseKeys({ ...parts, keyring: both });
  expect(await count()).toEqual([2, 2]);
  await checkKeyring(api.db, alone, new Date());
  await rekeyLicenseKeys({ ...parts, keyring: alone });
  expect(await count()).toEqual([0, 2]);
  const [row] = await api.db.sql<{ businessId: string }>(
    null,
    'SELECT business_id AS "businessId" FROM product_keys WHERE id = $1',
    [rowId(id)],
  );
  const mail = await productKeyCreatedMail(
    api.db,
    alone,
    { businessId: row?.businessId, mode: 'LIVE', productKeyId: rowId(id) } as never,
    new Date(),
  );
  expect(mail?.key).toBe(next);
});

test('what the mails say, and that they are withdrawn when it is not so any more', async () => {
  api.setNow(NOW);
  const { live } = await newBusiness(api);
  const keyring = keyringOf(readConfig(testEnvironment));
  const owner = await newCustomer(api, live);
  const productId = await newProduct(api, live, { trialDays: 7 });
  const id = await newProductKey(api, live, { owner, productIds: [productId] });
  const [row] = await api.db.sql<{ businessId: string; number: string }>(
    null,
    'SELECT business_id AS "businessId", number FROM product_keys WHERE id = $1',
    [rowId(id)],
  );
  const delivery = { businessId: row?.businessId, mode: 'LIVE', productKeyId: rowId(id) } as never;
  const now = new Date(NOW);
  const trial = await trialExpiringMail(api.db, delivery, now);
  expect(trial && renderMail('product-key-trial-expiring', trial).text).toBe(`Hello Erika Mustermann,

the trial of your product key ${row?.number}, Studio API, for Studio ends at 2026-03-08 12:00 UTC. It goes on as a paid subscription then.

Acme Software
`);
  expect(await trialExpiringMail(api.db, delivery, new Date('2026-03-08T12:00:00Z'))).toBe(null);
  expect(await productKeyDisabledMail(api.db, delivery, now)).toBe(null);
  const created = await productKeyCreatedMail(api.db, keyring, delivery, now);
  expect(created && renderMail('product-key-created', created).text).toContain(
    `${created?.key}\n\nIt counts from 2026-03-01 12:00 UTC.`,
  );
  await callProductKey(api, live, 'disableProductKey', { productKeyId: id, reason: 'Line 1\nLine 2' });
  const disabled = await productKeyDisabledMail(api.db, delivery, now);
  expect(disabled && renderMail('product-key-disabled', disabled).text).toContain('any more.\n\nLine 1\nLine 2\n');
  await callProductKey(api, live, 'cancelProductKey', { productKeyId: id });
  const end = new Date('2026-03-09T00:00:00Z');
  expect(await productKeyCreatedMail(api.db, keyring, delivery, end)).toBe(null);
  expect(await productKeyDisabledMail(api.db, delivery, end)).toBe(null);
  api.setNow(null);
});

test("an erased person is gone from its own product keys, and from other customers' that name it; they work on", async () => {
  const { live } = await newBusiness(api);
  const owner = await newCustomer(api, live, person);
  const id = await newProductKey(api, live, {
    owner,
    clientEmailAddress: person.email,
    clientFirstName: 'Zyxwina',
    description: 'for Zyxwina',
    externalQuoteId: 'zyx-0815',
    dataProviderConfigurationId: 'zyx-0815',
    tags: ['zyxnote'],
    metadata: { zyxnote: 1 },
    notificationAddressesOnCreation: ['boss@glimmerwerk.example'],
    notificationAddressesOnQuotaThreshold: ['boss@glimmerwerk.example'],
    namedConsumers: [person.email, 'friend@example.com'],
    idempotencyKey: 'zyx-0815',
  });
  await callProductKey(api, live, 'updateProductKey', {
    productKeyId: id,
    description: 'of Zyxwina',
    externalQuoteId: 'zyx-0815-b',
  });
  await callProductKey(api, live, 'disableProductKey', { productKeyId: id, reason: 'Zyxwina left' });
  const addresses = [person.email.toUpperCase(), 'other@example.com'];
  const other = await newProductKey(api, live, {
    namedConsumers: addresses,
    notificationAddressesOnCreation: addresses,
    notificationAddressesOnQuotaThreshold: addresses,
  });
  await api.data({
    token: live,
    query: 'mutation ($input: EraseCustomerInput!) { eraseCustomer(input: $input) { userErrors { code } } }',
    variables: { input: { customerId: owner } },
  });
  expect(await tracesInDatabase(api)).toEqual([]);
  expect([(await read(live, id)).namedConsumers, (await read(live, other)).namedConsumers]).toEqual([
    ...[['friend@example.com'], ['other@example.com']],
  ]);
  const update = await callProductKey(api, live, 'updateProductKey', {
    productKeyId: id,
    description: 'Zyxwina again',
  });
  expect(codes(update)).toEqual(['CUSTOMER_ERASED productKeyId']);
  const on = await callProductKey(api, live, 'enableProductKey', { productKeyId: id });
  expect([on.productKey.status, on.userErrors]).toEqual(['ACTIVE', []]);
});
