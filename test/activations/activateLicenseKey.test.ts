import { expect, test } from '@jest/globals';
import { useApi } from '../support/api.js';
import { newApiKey, newBusiness, newCustomer, newSession } from '../support/business.js';
import { activated, newBareKey, newLicensedKey, onDevice, validate } from '../support/keys.js';
import { expectInvariants } from '../support/invariants.js';
import { changesOf, rowId } from '../support/licenses.js';

const api = useApi();
const counted = (token: string, activationsLimit: number | null) =>
  newLicensedKey(api, token, { licenseKey: { activationsLimit } });

async function seatsOf(licenseKeyId: string): Promise<{ used: number; seated: number }> {
  const [row] = await api.db.sql<{ used: number; seated: number }>(
    null,
    `SELECT activations_used AS used, (SELECT count(*)::int FROM activations a WHERE a.license_key_id = k.id AND a.ended_at IS NULL) AS seated
      FROM license_keys k WHERE id = $1`,
    [rowId(licenseKeyId)],
  );
  return row!;
}

async function activationRows(): Promise<string> {
  const rows = await api.db.sql<{ row: string }>(
    null,
    `SELECT to_jsonb(a)::text AS row FROM activations a UNION ALL SELECT to_jsonb(k)::text FROM license_keys k
      UNION ALL SELECT count(*)::text FROM changes ORDER BY 1`,
    [],
  );
  return JSON.stringify(rows);
}

test('a device takes a seat: every field, without a token, and the history says so', async () => {
  const business = await newBusiness(api);
  const { key, licenseKeyId, customerId } = await counted(business.live, 2);
  api.setNow('2026-05-01T10:00:00.000Z');
  await api.db.sql(null, 'UPDATE license_keys SET created_at = $2, updated_at = $2 WHERE id = $1', [
    rowId(licenseKeyId),
    new Date('2026-05-01'),
  ]);
  await api.db.sql(null, 'UPDATE licenses SET valid_from = $1', [new Date('2026-05-01')]);
  const input = {
    key: key.toLowerCase(),
    fingerprint: 'mac-1',
    name: '  Laptop ',
    metadata: { os: 'mac' },
    leaseSeconds: 3600,
  };
  const { data } = await onDevice(api, business, 'activateLicenseKey', input);
  const now = '2026-05-01T10:00:00.000Z';
  const { activation, userErrors } = data.activateLicenseKey;
  expect([activation, userErrors]).toEqual([
    {
      id: expect.stringMatching(/^act_/),
      fingerprint: 'mac-1',
      name: 'Laptop',
      status: 'ACTIVE',
      ...{ activatedAt: now, lastSeenAt: now, createdAt: now, updatedAt: now, endedAt: null },
      leaseSeconds: 3600,
      leaseUntil: '2026-05-01T11:00:00.000Z',
      testMode: false,
      version: 1,
    },
    [],
  ]);
  const query = `query ($id: ID!) { activation(id: $id) { metadata testMode customer { id } licenseKey { id activationsUsed } history { nodes { type actorKind } } } }`;
  const seen = await api.data({ token: business.live, query, variables: { id: activation.id } });
  expect(seen.activation).toEqual({
    metadata: { os: 'mac' },
    testMode: false,
    customer: { id: customerId },
    licenseKey: { id: licenseKeyId, activationsUsed: 1 },
    history: { nodes: [{ type: 'activation.created', actorKind: 'PUBLIC' }] },
  });
  const [change] = await changesOf(api, activation.id);
  expect(change).toMatchObject({
    sequence: 1,
    actor_name: null,
    snapshot: { fingerprint: 'mac-1', leaseSeconds: 3600 },
  });
  api.setNow(null);
});

test('the same device again has the same activation, at any limit: name, pairs and lease are renewed', async () => {
  const business = await newBusiness(api);
  const { key, licenseKeyId } = await counted(business.live, 1);
  const first = await activated(api, business, { key, fingerprint: 'a', name: 'Old', metadata: { one: 1, two: 2 } });
  const same = await activated(api, business, { key, fingerprint: 'a' });
  expect([same.id, same.version, same.name]).toEqual([first.id, 1, 'Old']);
  const renewed = await activated(api, business, {
    key,
    fingerprint: 'a',
    name: 'New',
    metadata: { two: null },
    leaseSeconds: 60,
  });
  expect([renewed.id, renewed.version, renewed.name, renewed.leaseSeconds]).toEqual([first.id, 2, 'New', 60]);
  const kept = await activated(api, business, { key, fingerprint: 'a' });
  expect([kept.leaseSeconds, kept.version]).toEqual([60, 2]);
  expect(await seatsOf(licenseKeyId)).toEqual({ used: 1, seated: 1 });
  const changes = await changesOf(api, first.id);
  expect(changes.map(({ type, sequence, before, after }) => [type, sequence, before, after])).toEqual([
    ['activation.created', 1, null, null],
    [
      'activation.updated',
      2,
      { name: 'Old', metadata: { one: 1, two: 2 }, leaseSeconds: null },
      { name: 'New', metadata: { one: 1 }, leaseSeconds: 60 },
    ],
  ]);
});

test('case of the fingerprint counts, and a device that was freed comes back as the same one', async () => {
  const business = await newBusiness(api);
  const { key, licenseKeyId } = await counted(business.live, 2);
  const [a, b] = [
    await activated(api, business, { key, fingerprint: 'a', leaseSeconds: 60 }),
    await activated(api, business, { key, fingerprint: 'A' }),
  ];
  expect(a.id).not.toBe(b.id);
  await onDevice(api, business, 'deactivateLicenseKey', { key, fingerprint: 'a' });
  const again = await activated(api, business, { key, fingerprint: 'a' });
  expect([again.id, again.status, again.endedAt, again.leaseSeconds, again.version]).toEqual([
    a.id,
    'ACTIVE',
    null,
    null,
    3,
  ]);
  expect((await changesOf(api, a.id)).map(({ type }) => type)).toEqual([
    'activation.created',
    'activation.deactivated',
    'activation.reactivated',
  ]);
  expect(await seatsOf(licenseKeyId)).toEqual({ used: 2, seated: 2 });
});

test('every refusal changes nothing and carries what a program needs', async () => {
  const business = await newBusiness(api);
  const { key } = await counted(business.live, 1);
  await activated(api, business, { key, fingerprint: 'a' });
  const paused = await counted(business.live, 1);
  await api.data({
    token: business.live,
    query: 'mutation ($input: PauseLicenseInput!) { pauseLicense(input: $input) { userErrors { message } } }',
    variables: { input: { licenseId: paused.licenseId } },
  });
  const inTest = await counted(business.test, 1);
  const before = await activationRows();
  const refused = async (input: object) => {
    const { data } = await onDevice(api, business, 'activateLicenseKey', { key, fingerprint: 'b', ...input });
    const { activation, userErrors } = data.activateLicenseKey;
    expect(activation).toBeNull();
    return userErrors.map(
      ({ message: _, __typename: __, path, ...rest }: { message: string; __typename: string; path: string[] }) => ({
        path: path.join('.'),
        ...rest,
      }),
    );
  };
  const notValid = (...codes: string[]) => [
    { code: 'LICENSE_KEY_NOT_VALID', path: 'input.key', checks: codes.map((code) => ({ code, severity: 'ERROR' })) },
  ];
  expect(await refused({})).toEqual([{ code: 'ACTIVATION_LIMIT_REACHED', path: 'input.key', limit: 1 }]);
  expect(await refused({ key: 'unknown' })).toEqual(notValid('KEY_NOT_FOUND'));
  expect(await refused({ key: ' - ' })).toEqual(notValid('KEY_BLANK'));
  expect(await refused({ key: paused.key })).toEqual(notValid('LICENSE_PAUSED'));
  expect(await refused({ key: inTest.key })).toEqual(notValid('KEY_OF_TEST_MODE'));
  const invalid = { fingerprint: ' ', name: 'n'.repeat(256), leaseSeconds: 59, metadata: { a: 'v'.repeat(501) } };
  expect(await refused(invalid)).toEqual(
    ['fingerprint', 'name', 'metadata.a', 'leaseSeconds'].map((field) => ({
      code: 'INVALID_INPUT',
      path: `input.${field}`,
    })),
  );
  expect(await refused({ fingerprint: 'erased:x' })).toEqual([{ code: 'INVALID_INPUT', path: 'input.fingerprint' }]);
  expect(await activationRows()).toBe(before);
});

test('of fifty devices at once exactly as many as the limit get a seat', async () => {
  const business = await newBusiness(api);
  const { key, licenseKeyId } = await counted(business.live, 7);
  const answers = await Promise.all(
    Array.from({ length: 50 }, (_, i) =>
      onDevice(api, business, 'activateLicenseKey', { key, fingerprint: `device ${i}` }),
    ),
  );
  const codes = answers.map(({ data }) => data.activateLicenseKey.userErrors[0]?.code ?? 'OK');
  expect(codes.toSorted()).toEqual([
    ...Array<string>(43).fill('ACTIVATION_LIMIT_REACHED'),
    ...Array<string>(7).fill('OK'),
  ]);
  expect(await seatsOf(licenseKeyId)).toEqual({ used: 7, seated: 7 });
  expect((await validate(api, business, { key })).activationsUsed).toBe(7);
  await expectInvariants(api.db);
});

test('one device fifty times at once is one activation and one change', async () => {
  const business = await newBusiness(api);
  const { key, licenseKeyId } = await counted(business.live, 3);
  const ids = await Promise.all(
    Array.from({ length: 50 }, async () => (await activated(api, business, { key, fingerprint: 'same' })).id),
  );
  expect(new Set(ids).size).toBe(1);
  expect(await seatsOf(licenseKeyId)).toEqual({ used: 1, seated: 1 });
  expect((await changesOf(api, ids[0]!)).map(({ type }) => type)).toEqual(['activation.created']);
});

test('of many devices that take over lapsed seats at once, as many as there are get one', async () => {
  const business = await newBusiness(api);
  const { key, licenseKeyId } = await counted(business.live, 3);
  for (const fingerprint of ['a', 'b', 'c']) await activated(api, business, { key, fingerprint, leaseSeconds: 60 });
  api.setNow(new Date(Date.now() + 120_000));
  const answers = await Promise.all(
    Array.from({ length: 20 }, (_, i) =>
      onDevice(api, business, 'activateLicenseKey', { key, fingerprint: `new ${i}` }),
    ),
  );
  api.setNow(null);
  expect(answers.filter(({ data }) => data.activateLicenseKey.activation)).toHaveLength(3);
  await expectInvariants(api.db);
  expect(await seatsOf(licenseKeyId)).toEqual({ used: 3, seated: 3 });
});

test('keys of other businesses, modes and brands are not there; with a token its mode counts', async () => {
  const [business, theirs] = [await newBusiness(api), await newBusiness(api)];
  const foreign = await counted(theirs.live, 1);
  const checks = async (answer: Promise<any>) =>
    (await answer).data.activateLicenseKey.userErrors.flatMap(
      (error: { checks?: { code: string }[]; code: string }) => error.checks?.map(({ code }) => code) ?? error.code,
    );
  const input = { key: foreign.key, fingerprint: 'f' };
  expect(await checks(onDevice(api, business, 'activateLicenseKey', input))).toEqual(['KEY_NOT_FOUND']);
  const mine = await counted(business.test, 1);
  const query = `mutation ($input: ActivateLicenseKeyInput!) { activateLicenseKey(input: $input) {
    activation { fingerprint metadata } userErrors { code ... on LicenseKeyNotValid { checks { code } } } } }`;
  const withToken = (token: string, fields: object = {}) =>
    api.call({
      token,
      query,
      variables: { input: { key: mine.key, fingerprint: 'f', metadata: { a: 1 }, ...fields } },
    });
  expect(await checks(withToken(business.live))).toEqual(['KEY_OF_TEST_MODE']);
  expect(await checks(withToken(business.live, { testMode: true }))).toEqual(['MODE_MISMATCH']);
  expect((await withToken(business.test)).data.activateLicenseKey.activation).toEqual({
    fingerprint: 'f',
    metadata: { a: 1 },
  });
  const stranger = await newSession(api, business.test, await newCustomer(api, business.test));
  const seen = await withToken(stranger);
  expect([seen.errors, seen.data.activateLicenseKey.activation]).toEqual([
    undefined,
    { fingerprint: 'f', metadata: null },
  ]);
  const other = `other.${business.brandUrl}`;
  await api.data({
    token: business.live,
    query: 'mutation ($input: CreateBrandInput!) { createBrand(input: $input) { userErrors { message } } }',
    variables: { input: { name: 'Other', url: other } },
  });
  const live = await counted(business.live, 1);
  const elsewhere = onDevice(api, { brandUrl: other }, 'activateLicenseKey', { key: live.key, fingerprint: 'f' });
  expect(await checks(elsewhere)).toEqual(['BRAND_MISMATCH']);
});

test('an API key needs LICENSE_KEYS_WRITE; without a token and a brand nobody knows whose key it is', async () => {
  const business = await newBusiness(api);
  await newBusiness(api);
  const { key } = await counted(business.live, 1);
  const query =
    'mutation ($input: ActivateLicenseKeyInput!) { activateLicenseKey(input: $input) { userErrors { code } } }';
  const call = (token: string | null) => api.call({ token, query, variables: { input: { key, fingerprint: 'f' } } });
  const narrow = await newApiKey(api, business.live, ['LICENSE_KEYS_READ']);
  expect((await call(narrow)).errors?.[0]?.extensions).toMatchObject({
    code: 'FORBIDDEN',
    requiredScopes: ['LICENSE_KEYS_WRITE'],
  });
  expect((await call(null)).errors?.[0]?.extensions.code).toBe('BRAND_NOT_FOUND');
});

test('an idempotency key of a caller without a token is that of the license key which it holds', async () => {
  const business = await newBusiness(api);
  const [one, two] = [await counted(business.live, 1), await counted(business.live, 1)];
  const idempotencyKey = 'attempt 1';
  const input = { key: one.key, fingerprint: 'a', idempotencyKey };
  const first = await onDevice(api, business, 'activateLicenseKey', input);
  const again = await onDevice(api, business, 'activateLicenseKey', input);
  const [{ id }, retried] = [first.data.activateLicenseKey.activation, again.data.activateLicenseKey.activation];
  expect([retried.id, again.extensions.idempotency[0].replayed]).toEqual([id, true]);
  const other = await onDevice(api, business, 'activateLicenseKey', { ...input, fingerprint: 'b' });
  expect(other.errors?.[0]?.extensions.code).toBe('IDEMPOTENCY_CONFLICT');
  const ofTwo = await onDevice(api, business, 'activateLicenseKey', { ...input, key: two.key });
  expect(ofTwo.data.activateLicenseKey.activation.id).not.toBe(id);
  const kept = await api.db.sql<{ namespace: string }>(null, 'SELECT namespace FROM idempotency_records', []);
  expect(JSON.stringify(kept)).not.toContain(one.key.replaceAll('-', ''));
});

test('a key without a limit counts its devices all the same', async () => {
  const business = await newBusiness(api);
  const licenseKeyId = await newBareKey(api, business.live, 'unlimited');
  for (const fingerprint of ['a', 'b']) await activated(api, business, { key: 'UNLIMITED', fingerprint });
  expect(await seatsOf(licenseKeyId)).toEqual({ used: 2, seated: 2 });
  const seen = await validate(api, business, { key: 'unlimited', fingerprint: 'c' });
  expect([seen.valid, seen.checks, seen.activationsUsed, seen.activationsLimit]).toEqual([true, [], 2, null]);
});
