import { beforeAll, expect, test } from '@jest/globals';
import { isEnumType } from 'graphql';
import type { LicenseKeyCheckCode } from '../../src/generated/graphql.js';
import { readContract } from '../../src/schema.js';
import { checkCodes, checksOf } from '../../src/validation/checks.js';
import { useApi } from '../support/api.js';
import { newBusiness, type TestBusiness } from '../support/business.js';
import { attachEntitlement, newProduct, newProductOffering } from '../support/catalog.js';
import {
  activated,
  codesOf,
  newBareKey,
  newLicensedKey,
  onDevice,
  validate,
  validateQuery,
  type TestKey,
} from '../support/keys.js';
import { rowId } from '../support/licenses.js';

const api = useApi();
let business: TestBusiness;

beforeAll(async () => {
  business = await newBusiness(api);
});

const DAY = 86_400_000;
const fromNow = (days: number) => new Date(Date.now() + days * DAY);

/** What a case asks, and every code of the answer. */
interface Case {
  input: Record<string, unknown>;
  codes: LicenseKeyCheckCode[];
  brandUrl?: string;
}

const licensed = (fields: Record<string, unknown> = {}) => newLicensedKey(api, business.live, fields);
const counted = (activationsLimit = 1) => licensed({ licenseKey: { activationsLimit } });

/** A license as the worker, the clock or a part of the API that has a test of its own would have left it. */
async function licenseAs(set: string, ...values: unknown[]): Promise<TestKey> {
  const key = await licensed();
  await api.db.sql(null, `UPDATE licenses SET ${set} WHERE id = $1`, [rowId(key.licenseId), ...values]);
  return key;
}

async function changed(mutation: string, input: Record<string, unknown>): Promise<void> {
  const type = `${mutation[0]?.toUpperCase()}${mutation.slice(1)}Input`;
  const query = `mutation ($input: ${type}!) { ${mutation}(input: $input) { userErrors { message } } }`;
  await api.data({ token: business.live, query, variables: { input } });
}

async function licenseAfter(mutation: string): Promise<TestKey> {
  const key = await licensed();
  await changed(mutation, { licenseId: key.licenseId });
  return key;
}

async function scheduled(status: string, days: number): Promise<TestKey> {
  return licenseAs('pending_status = $2::license_status, pending_status_at = $3', status, fromNow(days));
}

/** A key whose grant was taken back, and which was switched off with it. */
async function takenBack(reason: string): Promise<TestKey> {
  const key = await licensed();
  const { grants } = await grantsOf(key);
  await changed('revokeGrant', { grantId: grants[0]?.id });
  await api.db.sql(null, 'UPDATE grants SET revocation_reason = $2::revocation_reason WHERE license_key_id = $1', [
    rowId(key.licenseKeyId),
    reason,
  ]);
  return key;
}

async function grantsOf({ licenseId }: TestKey): Promise<{ grants: { id: string }[] }> {
  const query = 'query ($id: ID!) { license(id: $id) { grants { id } } }';
  return (await api.data({ token: business.live, query, variables: { id: licenseId } })).license;
}

async function onOtherDevice(limit = 1): Promise<TestKey> {
  const key = await counted(limit);
  await activated(api, business, { key: key.key, fingerprint: 'other' });
  return key;
}

async function keyAs(key: TestKey, set: string, ...values: unknown[]): Promise<TestKey> {
  await api.db.sql(null, `UPDATE license_keys SET ${set} WHERE id = $1`, [rowId(key.licenseKeyId), ...values]);
  return key;
}

async function leasedAs(key: TestKey, secondsLeft: number): Promise<TestKey> {
  await activated(api, business, { key: key.key, fingerprint: 'mine', leaseSeconds: 3600 });
  const until = new Date(Date.now() + secondsLeft * 1_000);
  await api.db.sql(null, 'UPDATE activations SET lease_until = $2 WHERE license_key_id = $1', [
    rowId(key.licenseKeyId),
    until,
  ]);
  return key;
}

const only = async (key: Promise<TestKey>, code: LicenseKeyCheckCode): Promise<Case> => ({
  input: { key: (await key).key },
  codes: [code],
});

/** One way to each code. */
const cases: Partial<Record<LicenseKeyCheckCode, () => Promise<Case>>> = {
  KEY_BLANK: async () => ({ input: { key: ' - — \u200b' }, codes: ['KEY_BLANK'] }),
  KEY_TOO_LONG: async () => ({ input: { key: 'A'.repeat(513) }, codes: ['KEY_TOO_LONG'] }),
  KEY_MALFORMED: async () => {
    const own = await newBusiness(api);
    const key = await patternedKey(own);
    return { input: { key: mistyped(key) }, codes: ['KEY_MALFORMED'], brandUrl: own.brandUrl };
  },
  KEY_NOT_FOUND: async () => ({ input: { key: 'ABCDE-FGHIJ-KLMNO' }, codes: ['KEY_NOT_FOUND'] }),
  KEY_NOT_ISSUED: async () => {
    const licenseKeyPoolId = await made('createLicenseKeyPool', { name: 'Stock' }, 'licenseKeyPool');
    await changed('addKeysToPool', { licenseKeyPoolId, rows: [{ key: 'IN-THE-POOL-1' }] });
    return { input: { key: 'in the pool 1' }, codes: ['KEY_NOT_ISSUED'] };
  },
  KEY_OF_TEST_MODE: async () => {
    const { key } = await newLicensedKey(api, business.test);
    return { input: { key }, codes: ['KEY_OF_TEST_MODE'] };
  },
  KEY_OF_LIVE_MODE: async () => ({
    input: { key: (await licensed()).key, testMode: true },
    codes: ['KEY_OF_LIVE_MODE'],
  }),
  BRAND_MISMATCH: async () => {
    const brandUrl = `other.${business.brandUrl}`;
    await changed('createBrand', { name: 'Other', url: brandUrl });
    return { input: { key: (await licensed()).key }, codes: ['BRAND_MISMATCH'], brandUrl };
  },
  KEY_NOT_YET_CREATED: async () => ({
    input: { key: (await licensed()).key, asOf: fromNow(-1) },
    codes: ['KEY_NOT_YET_CREATED'],
  }),
  KEY_DISABLED: () => only(keyDisabled(), 'KEY_DISABLED'),
  KEY_EXPIRED: async () => ({
    input: { key: await bareKey({ expiresAt: fromNow(30) }), asOf: fromNow(30) },
    codes: ['KEY_EXPIRED'],
  }),
  KEY_EXPIRES_SOON: async () => ({
    input: { key: await bareKey({ expiresAt: fromNow(7) }) },
    codes: ['KEY_EXPIRES_SOON'],
  }),
  KEY_REPLACED: () => only(rotated({}), 'KEY_REPLACED'),
  KEY_REPLACED_SOON: () => only(rotated({ graceUntil: fromNow(1) }), 'KEY_REPLACED_SOON'),
  LICENSE_NOT_STARTED: () => only(licensed({ activationDate: '2099-01-01' }), 'LICENSE_NOT_STARTED'),
  LICENSE_PAUSED: () => only(licenseAfter('pauseLicense'), 'LICENSE_PAUSED'),
  LICENSE_BLOCKED: () => only(licenseAfter('blockLicense'), 'LICENSE_BLOCKED'),
  LICENSE_CANCELLED: async () => ({
    input: { key: (await licenseAfter('cancelLicense')).key },
    codes: ['KEY_DISABLED', 'LICENSE_CANCELLED'],
  }),
  LICENSE_EXPIRED: () =>
    only(licenseAs('valid_from = $2, valid_until = $3', fromNow(-9), fromNow(-1)), 'LICENSE_EXPIRED'),
  LICENSE_EXPIRES_SOON: () => only(licenseAs('valid_until = $2', fromNow(6)), 'LICENSE_EXPIRES_SOON'),
  LICENSE_CANCELLATION_SCHEDULED: () => only(scheduled('CANCELLED', 3), 'LICENSE_CANCELLATION_SCHEDULED'),
  LICENSE_PAUSE_SCHEDULED: () => only(scheduled('PAUSED', 3), 'LICENSE_PAUSE_SCHEDULED'),
  LICENSE_BLOCK_SCHEDULED: () => only(scheduled('BLOCKED', 3), 'LICENSE_BLOCK_SCHEDULED'),
  LICENSE_OFFERING_CHANGE_SCHEDULED: async () => {
    const offering = rowId(await newProductOffering(api, business.live));
    const key = licenseAs('pending_offering_id = $2, pending_offering_at = $3', offering, fromNow(3));
    return only(key, 'LICENSE_OFFERING_CHANGE_SCHEDULED');
  },
  GRANT_REVOKED: async () => ({
    input: { key: (await takenBack('MANUAL')).key },
    codes: ['KEY_DISABLED', 'GRANT_REVOKED'],
  }),
  GRANT_REFUNDED: async () => ({
    input: { key: (await takenBack('REFUND')).key },
    codes: ['KEY_DISABLED', 'GRANT_REFUNDED'],
  }),
  GRANT_PLAN_CHANGED: async () => ({
    input: { key: (await takenBack('PLAN_CHANGED')).key },
    codes: ['KEY_DISABLED', 'GRANT_PLAN_CHANGED'],
  }),
  PRODUCT_NOT_FOUND: async () => ({
    input: { key: (await licensed()).key, productSku: 'NO-SUCH-SKU' },
    codes: ['PRODUCT_NOT_FOUND'],
  }),
  PRODUCT_MISMATCH: async () => {
    await newProduct(api, business.live, { sku: 'ANOTHER' });
    return { input: { key: (await licensed()).key, productSku: 'ANOTHER' }, codes: ['PRODUCT_MISMATCH'] };
  },
  PRODUCT_ARCHIVED: async () => {
    const { key } = await licensed();
    const { product } = await validate(api, business, { key });
    await api.db.sql(null, 'UPDATE products SET archived_at = created_at WHERE sku = $1', [product.sku]);
    return { input: { key, productSku: product.sku }, codes: ['PRODUCT_ARCHIVED'] };
  },
  VERSION_NOT_FOUND: async () => ({
    input: { key: (await licensed()).key, version: '1.0' },
    codes: ['VERSION_NOT_FOUND'],
  }),
  VERSION_NOT_PUBLISHED: async () => ({
    input: { key: (await versioned()).key, version: '3.0' },
    codes: ['VERSION_NOT_PUBLISHED'],
  }),
  VERSION_OUTDATED: async () => ({
    input: { key: (await versioned()).key, version: '1.0' },
    codes: ['VERSION_OUTDATED'],
  }),
  CUSTOMER_MISMATCH: async () => ({
    input: { key: (await licensed()).key, customerNumber: 'K000000000' },
    codes: ['CUSTOMER_MISMATCH'],
  }),
  FINGERPRINT_BLANK: async () => ({
    input: { key: (await counted()).key, fingerprint: '  ' },
    codes: ['FINGERPRINT_BLANK'],
  }),
  FINGERPRINT_TOO_LONG: async () => ({
    input: { key: (await counted()).key, fingerprint: 'f'.repeat(256) },
    codes: ['FINGERPRINT_TOO_LONG'],
  }),
  FINGERPRINT_MISSING: () => only(counted(), 'FINGERPRINT_MISSING'),
  DEVICE_NOT_ACTIVATED: async () => ({
    input: { key: (await onOtherDevice(2)).key, fingerprint: 'mine' },
    codes: ['DEVICE_NOT_ACTIVATED'],
  }),
  DEVICE_DEACTIVATED: async () => {
    const { key } = await onOtherDevice();
    await onDevice(api, business, 'deactivateLicenseKey', { key, fingerprint: 'other' });
    return { input: { key, fingerprint: 'other' }, codes: ['DEVICE_DEACTIVATED'] };
  },
  DEVICE_LEASE_LAPSED: async () => ({
    input: { key: (await leasedAs(await counted(), -1)).key, fingerprint: 'mine' },
    codes: ['DEVICE_LEASE_LAPSED'],
  }),
  DEVICE_LEASE_LAPSES_SOON: async () => ({
    input: { key: (await leasedAs(await counted(), 890)).key, fingerprint: 'mine' },
    codes: ['DEVICE_LEASE_LAPSES_SOON'],
  }),
  ACTIVATION_LIMIT_REACHED: async () => ({
    input: { key: (await onOtherDevice()).key, fingerprint: 'mine' },
    codes: ['DEVICE_NOT_ACTIVATED', 'ACTIVATION_LIMIT_REACHED'],
  }),
  ACTIVATION_LIMIT_EXCEEDED: async () => {
    const key = await onOtherDevice(2);
    await activated(api, business, { key: key.key, fingerprint: 'mine' });
    await keyAs(key, 'activations_limit = 1');
    return { input: { key: key.key, fingerprint: 'mine' }, codes: ['ACTIVATION_LIMIT_EXCEEDED'] };
  },
};

/** A key for a product with 1.0 and 2.0, which are public, and 3.0, which is not. */
async function versioned(): Promise<TestKey> {
  const productId = await newProduct(api, business.live);
  for (const name of ['1.0', '2.0', '3.0']) {
    const { createProductVersion } = await api.data({
      token: business.live,
      query: `mutation ($input: CreateProductVersionInput!) {
        createProductVersion(input: $input) { productVersion { id } userErrors { message } } }`,
      variables: { input: { productId, name } },
    });
    const productVersionId = createProductVersion.productVersion.id as string;
    if (name !== '3.0') await changed('publishProductVersion', { productVersionId });
  }
  const productOfferingId = await newProductOffering(api, business.live, { productId });
  await attachEntitlement(api, business.live, { target: { productOfferingId } });
  return licensed({ productOfferingId });
}

/** A key by what it was before it was rotated. */
async function rotated(fields: Record<string, unknown>): Promise<TestKey> {
  const key = await licensed();
  await changed('rotateLicenseKey', { licenseKeyId: key.licenseKeyId, ...fields });
  return key;
}

async function made(mutation: string, input: Record<string, unknown>, object: string): Promise<string> {
  const type = `${mutation[0]?.toUpperCase()}${mutation.slice(1)}Input`;
  const query = `mutation ($input: ${type}!) { ${mutation}(input: $input) { ${object} { id } userErrors { message } } }`;
  return (await api.data({ token: business.live, query, variables: { input } }))[mutation][object].id;
}

/** A generated key of a product whose keys begin with ACME and have a check character. */
async function patternedKey({ live }: TestBusiness): Promise<string> {
  const productId = await newProduct(api, live, { keyPattern: { prefix: 'ACME' } });
  const productOfferingId = await newProductOffering(api, live, { productId });
  await attachEntitlement(api, live, { target: { productOfferingId } });
  return (await newLicensedKey(api, live, { productOfferingId })).key;
}

/** A key with another last character. */
function mistyped(key: string): string {
  return key.slice(0, -1) + (key.endsWith('A') ? 'B' : 'A');
}

async function keyDisabled(): Promise<TestKey> {
  return keyAs(await licensed(), `status = 'DISABLED', disabled_at = $2`, fromNow(0));
}

let bareKeys = 0;
async function bareKey(fields: Record<string, unknown>): Promise<string> {
  const key = `BARE-KEY-${++bareKeys}`;
  await newBareKey(api, business.live, key, fields);
  return key;
}

test('the table has a way to every code of the contract, and the code has a meaning for each', () => {
  const type = readContract().getType('LicenseKeyCheckCode');
  if (!isEnumType(type)) throw new Error('LicenseKeyCheckCode is no enum');
  const values = type.getValues();
  expect(values.length).toBeGreaterThanOrEqual(30);
  expect(values.map(({ name }) => name)).toEqual(checkCodes);
  expect(Object.keys(cases)).toEqual(checkCodes);
  for (const check of checksOf(new Set(checkCodes))) {
    const description = type.getValue(check.code)?.description ?? '';
    expect([check.code, description.startsWith('Warning: ')]).toEqual([check.code, check.severity === 'WARNING']);
    expect(description.toLowerCase().replace('warning: ', '')).toBe(
      `${check.message} Remedy: ${check.remedy}`.toLowerCase(),
    );
  }
});

test.each(Object.entries(cases))('%s', async (_code, make) => {
  const { input, codes, brandUrl } = await make();
  const { valid, checks } = await validate(api, { brandUrl: brandUrl ?? business.brandUrl }, input);
  expect(checks).toEqual(checksOf(new Set(codes)));
  expect(checks.map(({ code }: { code: string }) => code)).toEqual(codes);
  expect(valid).toBe(checks.every(({ severity }: { severity: string }) => severity === 'WARNING'));
});

test('the newest public version is told, and is not outdated', async () => {
  const { key } = await versioned();
  const seen = await validate(api, business, { key, version: '2.0' });
  expect([seen.valid, seen.checks, seen.product.latestPublicVersionName]).toEqual([true, [], '2.0']);
});

test('a mistyped key is never looked up; a good one still is', async () => {
  const own = await newBusiness(api);
  const key = await patternedKey(own);
  const check = (of: string) => api.call({ token: own.live, query: validateQuery, variables: { input: { key: of } } });
  expect((await check(key)).data.validateLicenseKey.valid).toBe(true);
  let code = '';
  const counts = [
    await api.countStatements(async () => (code = (await check(mistyped(key))).data.validateLicenseKey.checks[0].code)),
    await api.countStatements(() => check(key.toLowerCase().replaceAll('-', ''))),
  ];
  expect([code, ...counts]).toEqual(['KEY_MALFORMED', 0, 1]);
  for (const one of [`${key}X`, key.slice(0, -1), 'ACME']) {
    expect(await codesOf(api, own, { key: one })).toEqual(['KEY_MALFORMED']);
  }
  expect(await codesOf(api, own, { key: `B${mistyped(key)}` })).toEqual(['KEY_NOT_FOUND']);
  // Not even where nothing is remembered of the business yet, nor in a list.
  const fresh = await newBusiness(api);
  const inputs = [{ key: mistyped(await patternedKey(fresh)) }];
  const query =
    'query ($inputs: [ValidateLicenseKeyInput!]!) { validateLicenseKeys(inputs: $inputs) { checks { code } } }';
  const headers = { 'brand-url': fresh.brandUrl };
  const count = await api.countStatements(async () => {
    const { validateLicenseKeys } = await api.data({ query, variables: { inputs }, headers });
    expect(validateLicenseKeys).toEqual([{ checks: [{ code: 'KEY_MALFORMED' }] }]);
  });
  expect(count).toBe(0);
});

test('a rotated key: both texts are one key, its devices follow, and it works until the grace ends', async () => {
  const key = await counted(1);
  await activated(api, business, { key: key.key, fingerprint: 'mine' });
  const graceUntil = fromNow(1);
  await changed('rotateLicenseKey', { licenseKeyId: key.licenseKeyId, graceUntil, key: `new-${key.key}` });
  const device = { fingerprint: 'mine' };
  const [old, present] = [key.key, `new ${key.key}`].map((text) => ({ key: text, ...device }));
  expect(await codesOf(api, business, present!)).toEqual([]);
  const seen = await validate(api, business, old!);
  expect([seen.valid, seen.expiresAt, seen.activation.status]).toEqual([true, graceUntil.toISOString(), 'ACTIVE']);
  const after = { asOf: graceUntil };
  expect(await codesOf(api, business, { ...old, ...after })).toEqual(['KEY_REPLACED']);
  expect(await codesOf(api, business, { ...present, ...after })).toEqual([]);
});

test('everything that is wrong is told at once, in the order of the codes, each once', async () => {
  const key = await licenseAs('valid_from = $2, valid_until = $3', fromNow(-9), fromNow(-1));
  await changed('pauseLicense', { licenseId: key.licenseId });
  await keyAs(key, `status = 'DISABLED', disabled_at = $2, expires_at = $2, activations_limit = 1`, fromNow(-1));
  await activated(api, business, { key: key.key, fingerprint: 'other' }).catch(() => undefined);
  const { valid, checks } = await validate(api, business, {
    key: key.key,
    productSku: 'NO-SUCH-SKU',
    customerNumber: 'K000000000',
    fingerprint: 'mine',
  });
  expect([valid, checks.map(({ code }: { code: string }) => code)]).toEqual([
    false,
    [
      ...['KEY_DISABLED', 'KEY_EXPIRED', 'LICENSE_PAUSED', 'LICENSE_EXPIRED', 'PRODUCT_NOT_FOUND', 'CUSTOMER_MISMATCH'],
      'DEVICE_NOT_ACTIVATED',
    ],
  ]);
});
