import { createHash } from 'node:crypto';
import { expect, test } from '@jest/globals';
import { compactVerify, decodeProtectedHeader, importJWK } from 'jose';
import { useApi } from '../support/api.js';
import { newApiKey, newBusiness, newSession } from '../support/business.js';
import { activated, asked, newBareKey, newLicensedKey, onDevice } from '../support/keys.js';
import { changeLicense, changesOf, rowId } from '../support/licenses.js';
import { checkOut, checkOutQuery, claimsOf, fileOf, keySet, refusedFile } from '../support/licenseFiles.js';
import { newWorld } from '../support/world.js';

const api = useApi();
const DAY = 86_400_000;
const after = (ms: number, from = api.now()) => new Date(from.getTime() + ms).toISOString();

/** A key that is good from long before a day in May, so that clocks can be set. */
async function newKey(token: string, fields: object = {}) {
  api.setNow('2026-05-01T00:00:00.000Z');
  const key = await newLicensedKey(api, token, fields as Record<string, unknown>);
  api.setNow('2026-05-02T10:00:00.250Z');
  return key;
}

const update = (token: string, licenseKeyId: string, fields: object) =>
  api.data({
    token,
    query: 'mutation ($input: UpdateLicenseKeyInput!) { updateLicenseKey(input: $input) { userErrors { message } } }',
    variables: { input: { licenseKeyId, ...fields } },
  });

/** A picture of every row that a refusal must leave alone. */
async function rows(): Promise<string> {
  const tables = [
    'signing_keys',
    'license_file_holds',
    'revocation_lists',
    'license_revocations',
    'changes',
    'license_keys',
  ];
  const parts = tables.map((table) => `SELECT to_jsonb(t)::text AS row FROM ${table} t`);
  return JSON.stringify(await api.db.sql(null, `${parts.join(' UNION ALL ')} ORDER BY 1`, []));
}

test('a file without a token: every field, signed by the published key, and nothing about the customer', async () => {
  const business = await newBusiness(api);
  const { key, licenseKeyId, customerId, customerNumber } = await newKey(business.live, {
    licenseKey: { activationsLimit: 2 },
  });
  const { id: activationId } = await activated(api, business, { key, fingerprint: 'mac-1', name: 'Laptop' });
  const answer = await checkOut(api, business, { key: key.toLowerCase(), fingerprint: 'mac-1', ttl: 86_400 });
  const { licenseFile, userErrors } = answer.data.checkOutLicenseFile;
  const [jwk] = (await keySet(api, business)).keys;
  const [issuedAt, expiresAt, graceUntil] = [after(0), after(DAY), after(2 * DAY)];
  expect([licenseFile, userErrors]).toEqual([
    { file: expect.any(String), keyId: jwk!.kid, issuedAt, expiresAt, graceUntil, revocationListVersion: '0' },
    [],
  ]);
  expect(decodeProtectedHeader(licenseFile.file)).toEqual({ alg: 'EdDSA', kid: jwk!.kid, typ: 'latchkey-license+jwt' });
  const { payload } = await compactVerify(licenseFile.file, await importJWK(jwk!, 'EdDSA'));
  const claims = JSON.parse(new TextDecoder().decode(payload));
  const { validate } = await api.data(
    asked(
      business,
      `query ($input: ValidateLicenseKeyInput!) { validate: validateLicenseKey(input: $input) {
        license { status type validFrom validUntil isPermanent } product { sku name } entitlements { name integrationType status } } }`,
      { key },
    ),
  );
  const entry = (id: string) =>
    createHash('sha256')
      .update(`${rowId(business.id)}\n${rowId(id)}`)
      .digest('base64url');
  expect(claims).toEqual({
    ...{ iss: business.id, jti: expect.any(String), testMode: false, brand: business.brandUrl },
    ...{ iat: Date.parse('2026-05-02T10:00:00Z') / 1000, nbf: Date.parse('2026-05-02T10:00:00Z') / 1000 },
    ...{ exp: Date.parse('2026-05-04T10:00:00Z') / 1000, issuedAt, notBefore: issuedAt, expiresAt, graceUntil },
    licenseKey: { id: licenseKeyId, expiresAt: null },
    ...validate,
    productSkus: [validate.product.sku],
    device: {
      fingerprintHash: createHash('sha256').update(`${licenseKeyId}\nmac-1`).digest('base64url'),
      activationId,
    },
    revocation: { entries: [entry(licenseKeyId), entry(activationId)], listVersion: '0' },
  });
  expect(claims.license).toMatchObject({ status: 'ACTIVE', isPermanent: true });
  expect(claims.entitlements).toHaveLength(1);
  for (const secret of [key, 'mac-1', 'Erika', 'Mustermann', customerId, customerNumber, 'Laptop']) {
    expect(JSON.stringify(claims)).not.toContain(secret);
  }
  const held = await api.data({
    token: business.live,
    query: 'query ($id: ID!) { licenseKey(id: $id) { offlineUntil version } }',
    variables: { id: licenseKeyId },
  });
  // Its devices are counted in its row; checking out changed nothing of it.
  expect(held.licenseKey).toEqual({ offlineUntil: graceUntil, version: 2 });
});

test('a file never outlives the right: every end of it is the end of the file, and of its grace', async () => {
  const { live, brandUrl } = await newBusiness(api);
  const terms = async (input: object, token: string | null = null) => {
    const { issuedAt, expiresAt, graceUntil } = claimsOf(
      await fileOf(api, { brandUrl }, { fingerprint: 'd', ...input }, token),
    );
    const [issued, ...ends] = [issuedAt, expiresAt, graceUntil].map((at) => Date.parse(at));
    return ends.map((end) => (end - issued!) / DAY);
  };
  const plain = await newKey(live);
  expect(await terms({ key: plain.key })).toEqual([30, 37]);
  expect(await terms({ key: plain.key, ttl: 3_600 })).toEqual([1 / 24, 2 / 24]);
  expect(await terms({ key: plain.key, ttl: 2_678_400 })).toEqual([31, 38]);
  expect(await terms({ key: plain.key, ttl: 31_622_400 }, live)).toEqual([366, 373]);
  const scheduled = async (event: 'pause' | 'block' | 'cancel') => {
    const { key, licenseId } = await newKey(live);
    await changeLicense(api, live, event, licenseId, { at: after(3 * DAY) });
    return key;
  };
  for (const event of ['pause', 'block', 'cancel'] as const) {
    expect([event, ...(await terms({ key: await scheduled(event) }))]).toEqual([event, 3, 3]);
  }
  const expiring = await newKey(live);
  await update(live, expiring.licenseKeyId, { expiresAt: after(32 * DAY) });
  expect(await terms({ key: expiring.key })).toEqual([30, 32]);
  const leased = await newKey(live, { licenseKey: { activationsLimit: 1 } });
  await activated(api, { brandUrl }, { key: leased.key, fingerprint: 'd', leaseSeconds: 86_400 });
  expect(await terms({ key: leased.key })).toEqual([1, 1]);
  const rotated = await newKey(live);
  await api.data({
    token: live,
    query: 'mutation ($input: RotateLicenseKeyInput!) { rotateLicenseKey(input: $input) { userErrors { message } } }',
    variables: { input: { licenseKeyId: rotated.licenseKeyId, graceUntil: after(5 * DAY) } },
  });
  expect(await terms({ key: rotated.key })).toEqual([5, 5]);
  const monthly = await newKey(live);
  await api.db.sql(null, 'UPDATE licenses SET valid_until = $2 WHERE id = $1', [
    rowId(monthly.licenseId),
    new Date(after(9 * DAY)),
  ]);
  expect(await terms({ key: monthly.key })).toEqual([9, 9]);
});

test('what validateLicenseKey would not let run is refused, with every check, and nothing changes', async () => {
  const business = await newBusiness(api);
  const { live } = business;
  const counted = await newKey(live, { licenseKey: { activationsLimit: 1 } });
  await activated(api, business, { key: counted.key, fingerprint: 'first' });
  const [paused, cancelled, disabled, ended, due, other] = [
    ...[await newKey(live), await newKey(live), await newKey(live)],
    ...[await newKey(live, { licenseKey: { activationsLimit: 1 } }), await newKey(live), await newKey(live)],
  ] as [typeof counted, typeof counted, typeof counted, typeof counted, typeof counted, typeof counted];
  await changeLicense(api, live, 'pause', paused.licenseId);
  await changeLicense(api, live, 'cancel', cancelled.licenseId);
  await changeLicense(api, live, 'cancel', due.licenseId, { at: after(1_000) });
  await api.data({
    token: live,
    query: 'mutation ($input: DisableLicenseKeyInput!) { disableLicenseKey(input: $input) { userErrors { message } } }',
    variables: { input: { licenseKeyId: disabled.licenseKeyId } },
  });
  await activated(api, business, { key: ended.key, fingerprint: 'd' });
  await onDevice(api, business, 'deactivateLicenseKey', { key: ended.key, fingerprint: 'd' });
  api.setNow(after(1_000));
  const before = await rows();
  const refused = (input: object, token: string | null = null) =>
    refusedFile(api, business, { fingerprint: 'd', ...input }, token);
  expect(await refused({ key: 'nobody has this' })).toEqual(['LICENSE_KEY_NOT_VALID input.key KEY_NOT_FOUND']);
  expect(await refused({ key: ' - ' })).toEqual(['LICENSE_KEY_NOT_VALID input.key KEY_BLANK']);
  expect(await refused({ key: counted.key })).toEqual([
    'LICENSE_KEY_NOT_VALID input.fingerprint DEVICE_NOT_ACTIVATED ACTIVATION_LIMIT_REACHED',
  ]);
  expect(await refused({ key: ended.key })).toEqual(['LICENSE_KEY_NOT_VALID input.fingerprint DEVICE_DEACTIVATED']);
  expect(await refused({ key: paused.key })).toEqual(['LICENSE_KEY_NOT_VALID input.key LICENSE_PAUSED']);
  expect(await refused({ key: cancelled.key })).toEqual([
    'LICENSE_KEY_NOT_VALID input.key KEY_DISABLED LICENSE_CANCELLED',
  ]);
  expect(await refused({ key: due.key })).toEqual(['LICENSE_KEY_NOT_VALID input.key KEY_DISABLED LICENSE_CANCELLED']);
  expect(await refused({ key: disabled.key })).toEqual(['LICENSE_KEY_NOT_VALID input.key KEY_DISABLED']);
  expect(await refused({ key: other.key, productSku: 'NONE' })).toEqual([
    'LICENSE_KEY_NOT_VALID input.key PRODUCT_NOT_FOUND',
  ]);
  for (const ttl of [3_599, 2_678_401, -1, 0]) {
    expect(await refused({ key: other.key, ttl })).toEqual(['INVALID_INPUT input.ttl']);
  }
  expect(await refused({ key: other.key, ttl: 31_622_401 }, live)).toEqual(['INVALID_INPUT input.ttl']);
  expect(await refused({ key: other.key, ttl: 1, fingerprint: ' ' })).toEqual([
    'INVALID_INPUT input.fingerprint',
    'INVALID_INPUT input.ttl',
  ]);
  const huge = await checkOut(api, business, { key: other.key, fingerprint: 'd', ttl: 2 ** 31 });
  expect([huge.data, huge.errors?.[0]?.extensions.code]).toEqual([undefined, 'BAD_USER_INPUT']);
  expect(await rows()).toBe(before);
});

test('many at once: one signing key, a file for each; one idempotency key gives one file', async () => {
  const business = await newBusiness(api);
  const { key } = await newKey(business.live);
  const files = await Promise.all(
    Array.from({ length: 30 }, (_, i) => fileOf(api, business, { key, fingerprint: `device ${i % 3}` })),
  );
  expect(new Set(files.map((file) => claimsOf(file).jti)).size).toBe(30);
  const { keys } = await keySet(api, business);
  expect([keys.length, new Set(files.map((file) => decodeProtectedHeader(file).kid))]).toEqual([
    1,
    new Set([keys[0]!.kid]),
  ]);
  expect((await changesOf(api, keys[0]!.kid!)).map(({ type, actor_kind }) => [type, actor_kind])).toEqual([
    ['signing_key.created', 'PUBLIC'],
  ]);
  const same = { key, fingerprint: 'd', idempotencyKey: 'k' };
  expect(new Set(await Promise.all([1, 2, 3].map(() => fileOf(api, business, same)))).size).toBe(1);
  const [kept] = await api.db.sql<{ result: object; secret: Buffer | null }>(
    null,
    "SELECT result, secret FROM idempotency_records WHERE mutation = 'checkOutLicenseFile'",
    [],
  );
  expect([kept?.result, kept?.secret === null]).toEqual([{}, false]);
});

test("another business's key is unknown, the other mode's and another brand's are told apart", async () => {
  const [mine, theirs] = [await newBusiness(api), await newBusiness(api)];
  const { key } = await newKey(mine.live);
  const inTest = await newKey(mine.test);
  const refused = (business: typeof mine, input: object, token: string | null = null) =>
    refusedFile(api, business, { fingerprint: 'd', ...input }, token);
  expect(await refused(theirs, { key })).toEqual(['LICENSE_KEY_NOT_VALID input.key KEY_NOT_FOUND']);
  expect(await refused(mine, { key, testMode: true })).toEqual(['LICENSE_KEY_NOT_VALID input.key KEY_OF_LIVE_MODE']);
  expect(await refused(mine, { key: inTest.key })).toEqual(['LICENSE_KEY_NOT_VALID input.key KEY_OF_TEST_MODE']);
  expect(await refused(mine, { key, testMode: true }, mine.live)).toEqual(['MODE_MISMATCH input.testMode']);
  const second = { brandUrl: `second-${mine.brandUrl}` };
  await api.data({
    token: mine.live,
    query: 'mutation ($input: CreateBrandInput!) { createBrand(input: $input) { userErrors { message } } }',
    variables: { input: { name: 'Second', url: second.brandUrl } },
  });
  expect(await refusedFile(api, second, { key, fingerprint: 'd' })).toEqual([
    'LICENSE_KEY_NOT_VALID input.key BRAND_MISMATCH',
  ]);
  const [live, test] = [
    await fileOf(api, mine, { key, fingerprint: 'd' }),
    await fileOf(api, mine, { key: inTest.key, fingerprint: 'd', testMode: true }),
  ];
  const modes = Object.fromEntries((await keySet(api, mine)).keys.map(({ kid, mode }) => [kid, mode]));
  expect([live, test].map((file) => [claimsOf(file).testMode, modes[decodeProtectedHeader(file).kid!]])).toEqual([
    [false, 'live'],
    [true, 'test'],
  ]);
  expect((await keySet(api, theirs)).keys).toEqual([]);
});

test('an API key needs its scope; a session and nobody at all may; without a brand nobody knows whose key it is', async () => {
  const business = await newBusiness(api);
  await newBusiness(api);
  const { key, customerId } = await newKey(business.live);
  const input = { key, fingerprint: 'd' };
  const narrow = await newApiKey(api, business.live, ['LICENSE_KEYS_READ']);
  const wide = await newApiKey(api, business.live, ['LICENSE_KEYS_WRITE']);
  expect((await checkOut(api, business, input, narrow)).errors?.[0]?.extensions.code).toBe('FORBIDDEN');
  for (const token of [wide, await newSession(api, business.live, customerId), null])
    await fileOf(api, business, input, token);
  const nowhere = await api.call({ query: checkOutQuery, variables: { input } });
  expect(nowhere.errors?.[0]?.extensions.code).toBe('BRAND_NOT_FOUND');
});

test('the license of a package names all its products, a key without a license what it was given with', async () => {
  const business = await newBusiness(api);
  api.setNow(null);
  const world = await newWorld(api, business.live);
  const { license } = await api.data({
    token: business.live,
    query: `query ($id: ID!) { license(id: $id) { licenseKeys { key }
      package { primaryProduct { sku } productOfferings { product { sku } } } } }`,
    variables: { id: world.licenseIds[0] },
  });
  const { primaryProduct, productOfferings } = license.package;
  const bought = claimsOf(await fileOf(api, business, { key: license.licenseKeys[0].key, fingerprint: 'world' }));
  expect([bought.product.sku, bought.productSkus]).toEqual([
    primaryProduct.sku,
    [primaryProduct.sku, ...productOfferings.map(({ product }: { product: { sku: string } }) => product.sku)],
  ]);
  await newBareKey(api, business.live, 'BARE-KEY-1');
  const {
    license: none,
    product,
    productSkus,
  } = claimsOf(await fileOf(api, business, { key: 'bare key 1', fingerprint: 'd' }));
  expect([none, product, productSkus]).toEqual([null, null, []]);
});
