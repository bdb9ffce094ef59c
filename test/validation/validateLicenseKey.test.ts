import { expect, test } from '@jest/globals';
import { useApi } from '../support/api.js';
import { newApiKey, newBusiness, newCustomer, newSession } from '../support/business.js';
import { attachEntitlement, newEntitlement, newPackage, newProduct, newProductOffering } from '../support/catalog.js';
import {
  activated,
  asked,
  codesOf,
  newBareKey,
  newLicensedKey,
  onDevice,
  validate,
  validateQuery,
  type TestKey,
} from '../support/keys.js';
import { newLicense, rowId, rowsOf } from '../support/licenses.js';
import { changeOffering } from '../licenses/offeringCalls.js';

const api = useApi();
const HOUR = 3_600_000;
const later = (hours: number, from = new Date()) => new Date(from.getTime() + hours * HOUR);

async function at<T>(instant: Date, work: () => Promise<T>): Promise<T> {
  api.setNow(instant);
  try {
    return await work();
  } finally {
    api.setNow(null);
  }
}

async function change(token: string, mutation: string, input: Record<string, unknown>): Promise<void> {
  const type = `${mutation[0]?.toUpperCase()}${mutation.slice(1)}Input`;
  const query = `mutation ($input: ${type}!) { ${mutation}(input: $input) { userErrors { message } } }`;
  await api.data({ token, query, variables: { input } });
}

test('a valid key on its device: every field, and nothing about whose it is', async () => {
  const business = await newBusiness(api);
  const start = new Date('2026-05-01T10:00:00.000Z');
  const key = await at(start, async () => {
    const productId = await newProduct(api, business.live, { sku: 'STUDIO', name: 'Studio' });
    const productOfferingId = await newProductOffering(api, business.live, { productId, licenseType: 'pro' });
    await attachEntitlement(api, business.live, {
      target: { productId },
      name: 'Studio key',
      licenseKey: { activationsLimit: 3, duration: { count: 1, unit: 'YEAR' } },
    });
    const metadata = { secret: 'canary-metadata' };
    const customerId = await newCustomer(api, business.live, {
      firstName: 'Canary',
      email: 'canary@example.com',
      metadata,
    });
    return newLicensedKey(api, business.live, { productOfferingId, customerId, metadata });
  });
  const now = later(24, start);
  const seen = await at(now, async () => {
    const device = { key: key.key.toLowerCase().replaceAll('-', ' '), fingerprint: 'mac-1' };
    const { id } = await activated(api, business, {
      ...device,
      name: 'Laptop',
      metadata: { secret: 'canary-device' },
      leaseSeconds: 3600,
    });
    const found = await validate(api, business, {
      ...device,
      productSku: 'STUDIO',
      customerNumber: key.customerNumber,
    });
    expect(found.activation.id).toBe(id);
    return found;
  });
  expect(seen).toEqual({
    valid: true,
    checks: [],
    license: {
      status: 'ACTIVE',
      type: 'pro',
      validFrom: '2026-05-01T10:00:00.000Z',
      validUntil: null,
      validity: 'CURRENT',
      isActive: true,
      isPermanent: true,
    },
    product: { sku: 'STUDIO', name: 'Studio', latestPublicVersionName: null },
    entitlements: [{ name: 'Studio key', integrationType: 'LICENSE_KEY', status: 'DELIVERED' }],
    activation: {
      id: expect.stringMatching(/^act_/),
      fingerprint: 'mac-1',
      name: 'Laptop',
      status: 'ACTIVE',
      activatedAt: now.toISOString(),
      leaseSeconds: 3600,
      leaseUntil: later(1, now).toISOString(),
      lastSeenAt: now.toISOString(),
      endedAt: null,
      testMode: false,
    },
    activationsUsed: 1,
    activationsLimit: 3,
    expiresAt: '2027-05-01T10:00:00.000Z',
    asOf: now.toISOString(),
    checkedAt: now.toISOString(),
  });
  expect(JSON.stringify(seen)).not.toMatch(/canary|cus_|lic_|lkey_/i);
});

test('what a device is beyond itself is not for callers without a token', async () => {
  const business = await newBusiness(api);
  const { key } = await newLicensedKey(api, business.live);
  await activated(api, business, { key, fingerprint: 'one', metadata: { a: 1 } });
  const query = `query ($input: ValidateLicenseKeyInput!) {
    validateLicenseKey(input: $input) { activation { fingerprint metadata licenseKey { id } customer { id } history { totalCount } } } }`;
  const answer = await api.call(asked(business, query, { key, fingerprint: 'one' }));
  const hidden = { metadata: null, licenseKey: null, customer: null, history: null };
  expect(answer.data.validateLicenseKey.activation).toEqual({ fingerprint: 'one', ...hidden });
  expect(new Set(answer.errors?.map(({ extensions }) => extensions.code))).toEqual(new Set(['UNAUTHENTICATED']));
  const stranger = await newSession(api, business.live, await newCustomer(api, business.live));
  const asStranger = await api.call({ ...asked(business, query, { key, fingerprint: 'one' }), token: stranger });
  expect(asStranger.data.validateLicenseKey.activation).toEqual({ fingerprint: 'one', ...hidden });
});

test('a key that never had a license is valid by itself, for what it was given with', async () => {
  const business = await newBusiness(api);
  const [mine, other] = ['MINE', 'OTHER'];
  const productId = await newProduct(api, business.live, { sku: mine });
  await newProduct(api, business.live, { sku: other });
  await newBareKey(api, business.live, 'free-for-all');
  expect(await codesOf(api, business, { key: 'FREE FOR ALL', productSku: other })).toEqual([]);
  const entitlementId = await newEntitlement(api, business.live, { licenseKey: { fulfillmentMode: 'MANUAL' } });
  await attachEntitlement(api, business.live, { target: { productId }, entitlementId });
  await newBareKey(api, business.live, 'of-mine', { entitlementId });
  const seen = await validate(api, business, { key: 'of-mine', productSku: mine });
  expect([seen.valid, seen.license, seen.product.sku, seen.entitlements.length]).toEqual([true, null, mine, 1]);
  expect(await codesOf(api, business, { key: 'of-mine', productSku: other })).toEqual(['PRODUCT_MISMATCH']);
});

test("a package's license is for its primary product and for its offerings' products", async () => {
  const business = await newBusiness(api);
  const [one, two, three] = ['ONE', 'TWO', 'THREE'];
  const ids = await Promise.all([one, two, three].map((sku) => newProduct(api, business.live, { sku })));
  const productOfferingId = await newProductOffering(api, business.live, { productId: ids[1] });
  const packageId = await newPackage(api, business.live, {
    primaryProductId: ids[0],
    productOfferingIds: [productOfferingId],
  });
  const { key, licenseId } = await newLicensedKey(api, business.live);
  await api.db.sql(null, 'UPDATE licenses SET product_offering_id = NULL, package_id = $2 WHERE id = $1', [
    rowId(licenseId),
    rowId(packageId),
  ]);
  expect((await validate(api, business, { key })).product.sku).toBe(one);
  expect((await validate(api, business, { key, productSku: two })).product.sku).toBe(two);
  expect(await codesOf(api, business, { key, productSku: two })).toEqual([]);
  expect(await codesOf(api, business, { key, productSku: three })).toEqual(['PRODUCT_MISMATCH']);
});

/** A second license on a key, from an instant on. */
async function follow(token: string, { licenseKeyId }: TestKey, activationDate: string): Promise<string> {
  const licenseId = await newLicense(api, token, { activationDate });
  await api.db.sql(
    null,
    `INSERT INTO license_key_bindings (business_id, mode, license_key_id, license_id, created_at)
      SELECT business_id, mode, $1, id, created_at FROM licenses WHERE id = $2`,
    [rowId(licenseKeyId), rowId(licenseId)],
  );
  return licenseId;
}

test('of several licenses on a key the one in force counts, else the most telling one', async () => {
  const business = await newBusiness(api);
  const key = await newLicensedKey(api, business.live);
  const ends = later(48);
  await api.db.sql(null, 'UPDATE licenses SET valid_until = $2 WHERE id = $1', [rowId(key.licenseId), ends]);
  expect(await codesOf(api, business, { key: key.key })).toEqual(['LICENSE_EXPIRES_SOON']);
  const nextId = await follow(business.live, key, '2099-01-01');
  const seen = await validate(api, business, { key: key.key, asOf: later(72) });
  expect([seen.checks[0].code, seen.license.validFrom]).toEqual(['LICENSE_NOT_STARTED', '2099-01-01T00:00:00.000Z']);
  expect((await validate(api, business, { key: key.key, asOf: '2099-01-01' })).valid).toBe(true);
  // The next one starts where the first one ends: there is nothing to warn of, and the key works on.
  await api.db.sql(null, 'UPDATE licenses SET valid_from = $2 WHERE id = $1', [rowId(nextId), ends]);
  const followed = await validate(api, business, { key: key.key });
  expect([followed.checks, followed.expiresAt, followed.license.validUntil]).toEqual([[], null, ends.toISOString()]);
  expect((await validate(api, business, { key: key.key, asOf: ends })).valid).toBe(true);
  await change(business.live, 'cancelLicense', { licenseId: nextId });
  expect(await codesOf(api, business, { key: key.key })).toEqual(['LICENSE_EXPIRES_SOON']);
  expect(await codesOf(api, business, { key: key.key, asOf: ends })).toEqual(['LICENSE_EXPIRED']);
});

test('the earlier of the expiry of the key, the window and a scheduled cancellation is until when it works', async () => {
  const business = await newBusiness(api);
  const key = await newLicensedKey(api, business.live);
  const [first, second, third] = [later(2000), later(3000), later(4000)];
  await api.db.sql(null, 'UPDATE license_keys SET expires_at = $2 WHERE id = $1', [rowId(key.licenseKeyId), second]);
  expect((await validate(api, business, { key: key.key })).expiresAt).toBe(second.toISOString());
  await api.db.sql(null, 'UPDATE licenses SET valid_until = $2 WHERE id = $1', [rowId(key.licenseId), third]);
  expect((await validate(api, business, { key: key.key })).expiresAt).toBe(second.toISOString());
  await api.db.sql(null, `UPDATE licenses SET pending_status = 'CANCELLED', pending_status_at = $2 WHERE id = $1`, [
    rowId(key.licenseId),
    first,
  ]);
  expect((await validate(api, business, { key: key.key })).expiresAt).toBe(first.toISOString());
  // The key ends with its last license from that instant, whether or not the worker has written it.
  expect(await codesOf(api, business, { key: key.key, asOf: first })).toEqual(['KEY_DISABLED', 'LICENSE_CANCELLED']);
  const before = new Date(first.getTime() - 1);
  expect(await codesOf(api, business, { key: key.key, asOf: before })).toEqual(['LICENSE_CANCELLATION_SCHEDULED']);
});

test('the past is read from the history: each instant answers as it would have answered then', async () => {
  const business = await newBusiness(api);
  const t = (hours: number) => later(hours, new Date('2026-03-01T00:00:00.000Z'));
  const key = await at(t(0), () => newLicensedKey(api, business.live));
  const { licenseId } = key;
  await at(t(1), () => change(business.live, 'pauseLicense', { licenseId }));
  await at(t(2), () => change(business.live, 'resumeLicense', { licenseId }));
  await at(t(3), () => change(business.live, 'blockLicense', { licenseId }));
  await at(t(4), () => change(business.live, 'cancelLicense', { licenseId }));
  const seen = async (hours: number) => {
    const { checks, license, entitlements } = await validate(api, business, { key: key.key, asOf: t(hours) });
    return [checks.map(({ code }: { code: string }) => code), license?.status ?? null, entitlements.length];
  };
  expect(await seen(-1)).toEqual([['KEY_NOT_YET_CREATED'], null, 0]);
  expect(await seen(0)).toEqual([[], 'ACTIVE', 1]);
  expect(await seen(1)).toEqual([['LICENSE_PAUSED'], 'PAUSED', 0]);
  expect(await seen(2)).toEqual([[], 'ACTIVE', 1]);
  expect(await seen(3)).toEqual([['LICENSE_BLOCKED'], 'BLOCKED', 0]);
  expect(await seen(4)).toEqual([['KEY_DISABLED', 'LICENSE_CANCELLED'], 'CANCELLED', 0]);
});

async function keyOf(token: string, licenseId: string): Promise<object> {
  const query = 'query ($id: ID!) { license(id: $id) { licenseKeys { licenseKeyId: id } } }';
  return (await api.data({ token, query, variables: { id: licenseId } })).license.licenseKeys[0];
}

test('product and type are those of the offering at the instant: before, between and after its changes, written or not', async () => {
  const business = await newBusiness(api);
  const { live } = business;
  const t = (hours: number) => later(hours, new Date('2026-03-01T00:00:00.000Z'));
  const productId = await newProduct(api, live, { sku: 'A' });
  const offering = (licenseType: string) => newProductOffering(api, live, { productId, licenseType });
  const offerings = [await offering('a'), await offering('b'), await offering('c')] as const;
  const licenseId = await at(t(0), () => newLicense(api, live, { productOfferingId: offerings[0] }));
  await at(t(1), () => change(live, 'issueLicenseKey', { licenseId, key: 'moving' }));
  const moved = (hours: number, productOfferingId: string, more = {}) =>
    at(t(hours), async () =>
      expect((await changeOffering(api, live, { licenseId, productOfferingId, ...more })).userErrors).toEqual([]),
    );
  await moved(2, offerings[1]);
  await moved(3, offerings[2], { at: t(5) });
  // A license changes between offerings of one product, which never change theirs: here they do, so that products tell them apart.
  await api.db.sql(null, 'ALTER TABLE product_offerings DISABLE TRIGGER USER', []);
  for (const [i, sku] of ['B', 'C'].entries()) {
    await api.db.sql(null, 'UPDATE product_offerings SET product_id = $2 WHERE id = $1', [
      rowId(offerings[i + 1] as string),
      rowId(await newProduct(api, live, { sku })),
    ]);
  }
  await api.db.sql(null, 'ALTER TABLE product_offerings ENABLE TRIGGER USER', []);
  const seen = async (hours: number, productSku: string) => {
    const { license, product, checks } = await validate(api, business, { key: 'moving', productSku, asOf: t(hours) });
    return [product.sku, license.type, ...checks.map(({ code }: { code: string }) => code)];
  };
  const all = async () =>
    Promise.all([1, 2, 3, 5, 7].map(async (hours) => [...(await seen(hours, 'A')), '|', ...(await seen(hours, 'C'))]));
  const expected = [
    ['A', 'a', '|', 'A', 'a', 'PRODUCT_MISMATCH'],
    ['B', 'b', 'PRODUCT_MISMATCH', '|', 'B', 'b', 'PRODUCT_MISMATCH'],
    [
      ...['B', 'b', 'LICENSE_OFFERING_CHANGE_SCHEDULED', 'PRODUCT_MISMATCH', '|'],
      ...['B', 'b', 'LICENSE_OFFERING_CHANGE_SCHEDULED', 'PRODUCT_MISMATCH'],
    ],
    ['C', 'c', 'PRODUCT_MISMATCH', '|', 'C', 'c'],
    ['C', 'c', 'PRODUCT_MISMATCH', '|', 'C', 'c'],
  ];
  // Asked before the scheduled change and after it; nothing has written it.
  for (const hours of [4, 6]) expect(await at(t(hours), all)).toEqual(expected);
  expect(await at(t(5), () => validate(api, business, { key: 'moving' }))).toMatchObject({ license: { type: 'c' } });
  // What was set later was not set then.
  await at(t(6), () => change(live, 'cancelLicense', { licenseId, at: t(30) }));
  const { licenseKeyId } = (await keyOf(live, licenseId)) as { licenseKeyId: string };
  await at(t(6), () => change(live, 'updateLicenseKey', { licenseKeyId, expiresAt: t(20), activationsLimit: 2 }));
  const then = await at(t(8), () => validate(api, business, { key: 'moving', asOf: t(1) }));
  expect([then.checks, then.expiresAt, then.activationsLimit]).toEqual([[], null, null]);
});

test('an unknown, a foreign and a wrong key answer alike, whatever else is asked', async () => {
  const [mine, theirs] = [await newBusiness(api), await newBusiness(api)];
  await newProduct(api, mine.live, { sku: 'MINE' });
  const { key } = await newLicensedKey(api, theirs.live);
  const answers = [key, 'AAAAA-AAAAA', 'x'].map((one) =>
    validate(api, mine, { key: one, productSku: 'MINE', customerNumber: 'K1', fingerprint: 'f', asOf: '2026-01-01' }),
  );
  const [first, ...others] = (await Promise.all(answers)).map(({ checkedAt: _, ...rest }) => rest);
  expect(first).toEqual({
    valid: false,
    checks: [expect.objectContaining({ code: 'KEY_NOT_FOUND', severity: 'ERROR' })],
    ...{ license: null, product: null, entitlements: [], activation: null, activationsUsed: null },
    ...{ activationsLimit: null, expiresAt: null, asOf: '2026-01-01T00:00:00.000Z' },
  });
  for (const other of others) expect(other).toEqual(first);
});

test('as much is read for an unknown key as for a known one, and nothing of it is shown', async () => {
  const business = await newBusiness(api);
  const { key } = await newLicensedKey(api, business.live, { licenseKey: { activationsLimit: 2 } });
  for (let i = 0; i < 12; i++) await newBareKey(api, business.live, `bare ${i}`);
  const { sql } = api.db;
  const read: { isHit: boolean; key: unknown }[] = [];
  const listening = async (name: string | null, text: string, values: unknown[]) => {
    const rows = await sql<(typeof read)[number]>(name, text, values);
    if (name === 'facts_of_one_key') read.push(...rows);
    return rows;
  };
  Object.assign(api.db, { sql: listening });
  const answers = await Promise.all(
    Array.from({ length: 30 }, (_, i) => validate(api, business, { key: `unknown ${i}`, fingerprint: 'f' })),
  ).finally(() => Object.assign(api.db, { sql }));
  // Where the next value is that of another key, which is so for most, that one is read.
  expect(read.map(({ isHit }) => isHit)).toEqual(answers.map(() => false));
  expect(read.filter((row) => row.key !== null).length).toBeGreaterThan(10);
  for (const { checks, ...answer } of answers) {
    expect(checks.map(({ code }: { code: string }) => code)).toEqual(['KEY_NOT_FOUND']);
    expect(answer).toMatchObject({
      license: null,
      product: null,
      activationsLimit: null,
      expiresAt: null,
      entitlements: [],
    });
  }
  expect((await validate(api, business, { key })).activationsLimit).toBe(2);
});

test('keys of the other mode and of another brand are told by one code and nothing more', async () => {
  const business = await newBusiness(api);
  const { key } = await newLicensedKey(api, business.test, { licenseKey: { activationsLimit: 1 } });
  const seen = await validate(api, business, { key, fingerprint: 'f' });
  expect([seen.checks.length, seen.license, seen.activationsLimit, seen.expiresAt]).toEqual([1, null, null, null]);
  expect(await codesOf(api, business, { key, testMode: true, fingerprint: 'f' })).toEqual(['DEVICE_NOT_ACTIVATED']);
  await newBareKey(api, business.live, key);
  expect(await codesOf(api, business, { key })).toEqual([]);
});

test('the brand comes from Brand-URL, the mode from the token; a token needs no header', async () => {
  const business = await newBusiness(api);
  await newBusiness(api);
  const { key } = await newLicensedKey(api, business.test);
  const call = (token: string | null, input: object, headers: Record<string, string> = {}) =>
    api.call({ token, query: validateQuery, variables: { input: { key, ...input } }, headers });
  const without = await call(null, {});
  expect([without.status, without.errors?.[0]?.extensions.code, without.data]).toEqual([
    400,
    'BRAND_NOT_FOUND',
    { validateLicenseKey: null },
  ]);
  const narrow = await newApiKey(api, business.test, ['AUDIT_READ']);
  const session = await newSession(api, business.test, await newCustomer(api, business.test));
  for (const token of [business.test, narrow, session]) {
    expect((await call(token, {})).data.validateLicenseKey.valid).toBe(true);
    const differing = await call(token, { testMode: false });
    expect([differing.errors?.[0]?.extensions.code, differing.data]).toEqual([
      'BAD_USER_INPUT',
      { validateLicenseKey: null },
    ]);
  }
  const foreign = await newBusiness(api);
  expect((await call(foreign.test, {})).data.validateLicenseKey.checks[0].code).toBe('KEY_NOT_FOUND');
});

test('many keys are checked in one statement, in their order, and what is no key reaches no database', async () => {
  const business = await newBusiness(api);
  const { key } = await newLicensedKey(api, business.live);
  const query = `query ($inputs: [ValidateLicenseKeyInput!]!) { validateLicenseKeys(inputs: $inputs) { valid checks { code } } }`;
  const all = async (inputs: object[]) => api.call({ token: business.live, query, variables: { inputs } });
  await all([{ key }]);
  const inputs = Array.from({ length: 100 }, (_, i) => ({
    key: i % 3 === 0 ? key : i % 3 === 1 ? `unknown ${i}` : '-',
  }));
  const counts: number[] = [];
  for (const some of [inputs, [{ key }], [{ key: 'unknown' }], [{ key: ' ' }, { key: 'A'.repeat(600) }]]) {
    counts.push(await api.countStatements(() => all(some)));
  }
  expect(counts).toEqual([1, 1, 1, 0]);
  const { data } = await all(inputs);
  expect(data.validateLicenseKeys.map(({ checks }: { checks: { code: string }[] }) => checks[0]?.code ?? null)).toEqual(
    inputs.map((_, i) => [null, 'KEY_NOT_FOUND', 'KEY_BLANK'][i % 3]),
  );
  for (const wrong of [[], Array.from({ length: 101 }, () => ({ key }))]) {
    const refused = await all(wrong);
    expect([refused.errors?.[0]?.extensions.code, refused.data]).toEqual([
      'BAD_USER_INPUT',
      { validateLicenseKeys: null },
    ]);
  }
});

test('checking writes nothing', async () => {
  const business = await newBusiness(api);
  const { key } = await newLicensedKey(api, business.live);
  const before = await rowsOf(api);
  await validate(api, business, { key, fingerprint: 'f' });
  await validate(api, business, { key: 'unknown' });
  expect(await rowsOf(api)).toBe(before);
});

test('while devices come and go, a seat is free from the instant at which its lease lapses', async () => {
  const business = await newBusiness(api);
  const { key } = await newLicensedKey(api, business.live, { licenseKey: { activationsLimit: 1 } });
  await activated(api, business, { key, fingerprint: 'a', leaseSeconds: 60 });
  expect((await validate(api, business, { key, fingerprint: 'b' })).activationsUsed).toBe(1);
  await at(later(1), async () => {
    const seen = await validate(api, business, { key, fingerprint: 'b' });
    expect([seen.activationsUsed, seen.checks.map(({ code }: { code: string }) => code)]).toEqual([
      0,
      ['DEVICE_NOT_ACTIVATED'],
    ]);
    expect((await validate(api, business, { key, fingerprint: 'a' })).activation).toMatchObject({ status: 'LAPSED' });
    expect(
      (await onDevice(api, business, 'heartbeatActivation', { key, fingerprint: 'a' })).data.heartbeatActivation
        .userErrors,
    ).toHaveLength(1);
  });
});
