import { expect, test } from '@jest/globals';
import { compactVerify, decodeProtectedHeader, importJWK } from 'jose';
import { rekeySigningKeys } from '../../src/licenseFiles/rekeySigningKeys.js';
import { checkKeyring } from '../../src/keyring.js';
import type { Keyring } from '../../src/kernel/secret.js';
import { useApi } from '../support/api.js';
import { newApiKey, newBusiness, newCustomer, newSession } from '../support/business.js';
import { holdRows } from '../support/holdRows.js';
import { newLicensedKey } from '../support/keys.js';
import { changesOf, rowId } from '../support/licenses.js';
import { claimsOf, fileOf, keySet, revokedKeys } from '../support/licenseFiles.js';

const api = useApi();
const DAY = 86_400_000;
const fields = `id publicKey isCurrent retiredAt publishedUntil testMode version createdAt updatedAt`;
const rotateQuery = `mutation ($input: RotateSigningKeyInput!) { rotateSigningKey(input: $input) {
  signingKey { ${fields} history { nodes { type } } } userErrors { code path } } }`;
const rotate = (token: string | null, input: object = {}) =>
  api.call({ token, query: rotateQuery, variables: { input } });
const rotated = async (token: string, input: object = {}) =>
  (await rotate(token, input)).data.rotateSigningKey.signingKey;
const signingKeys = async (token: string) =>
  (await api.data({ token, query: `{ signingKeys { ${fields} } }` })).signingKeys;
const get = (headers: Record<string, string> = {}, query = '') =>
  api.server.inject({ url: `/.well-known/jwks.json${query}`, headers });

test('the first key, then the next: every field, what the old one signed is still verified until it has run out', async () => {
  const business = await newBusiness(api);
  api.setNow('2026-05-01T00:00:00.000Z');
  const { key } = await newLicensedKey(api, business.live);
  expect(await signingKeys(business.live)).toEqual([]);
  const first = await rotated(business.live);
  const at = '2026-05-01T00:00:00.000Z';
  expect(first).toEqual({
    ...{ id: expect.stringMatching(/^skey_/), publicKey: expect.stringMatching(/^[\w-]{43}$/), isCurrent: true },
    ...{ retiredAt: null, publishedUntil: null, testMode: false, version: 1, createdAt: at, updatedAt: at },
    history: { nodes: [{ type: 'signing_key.created' }] },
  });
  const file = await fileOf(api, business, { key, fingerprint: 'd', ttl: 60 * 86_400 }, business.live);
  api.setNow('2026-05-02T00:00:00.000Z');
  const second = await rotated(business.live);
  const { graceUntil } = claimsOf(file);
  const publishedUntil = new Date(Date.parse(graceUntil) + DAY).toISOString();
  expect((await signingKeys(business.live)).map(({ id, ...key }: { id: string }) => [id, key])).toEqual([
    [second.id, expect.objectContaining({ isCurrent: true, retiredAt: null, publishedUntil: null, version: 1 })],
    [
      first.id,
      expect.objectContaining({ isCurrent: false, retiredAt: '2026-05-02T00:00:00.000Z', publishedUntil, version: 2 }),
    ],
  ]);
  const kid = (text: string) => decodeProtectedHeader(text).kid;
  expect([kid(file), kid(await fileOf(api, business, { key, fingerprint: 'd' }))]).toEqual([first.id, second.id]);
  const [, old] = (await keySet(api, business)).keys;
  expect(old).toEqual({
    ...{ kty: 'OKP', crv: 'Ed25519', use: 'sig', alg: 'EdDSA', kid: first.id, x: first.publicKey, mode: 'live' },
  });
  await compactVerify(file, await importJWK(old!, 'EdDSA'));
  const shown = async () => (await keySet(api, business)).keys.map((one) => one.kid);
  for (const [now, kids] of [
    [graceUntil, [second.id, first.id]],
    [publishedUntil, [second.id]],
  ] as const) {
    api.setNow(now);
    expect(await shown()).toEqual(kids);
  }
  api.setNow(null);
  const [row] = await api.db.sql<{ sealed: Buffer | null }>(
    null,
    'SELECT key_ciphertext AS sealed FROM signing_keys WHERE id = $1',
    [rowId(first.id)],
  );
  expect(row?.sealed).toBeNull();
  expect(
    (await changesOf(api, first.id)).map(({ type, snapshot }) => [
      type,
      'keyCiphertext' in snapshot && snapshot.keyCiphertext,
    ]),
  ).toEqual([
    ['signing_key.created', false],
    ['signing_key.retired', null],
  ]);
});

test('a key that signed nothing is shown for 31 days; withdrawn ones at once no more, whenever they were retired', async () => {
  const business = await newBusiness(api);
  api.setNow('2026-05-01T00:00:00.000Z');
  const ids = [await rotated(business.live), await rotated(business.live)].map(({ id }) => id);
  const { keys } = await keySet(api, business);
  expect(keys.map(({ kid }) => kid)).toEqual([ids[1], ids[0]]);
  const inTest = await rotated(business.test);
  const { list } = await revokedKeys(api, business);
  const last = await rotated(business.live, { withdrawPrevious: true });
  expect((await keySet(api, business)).keys.map(({ kid }) => kid).sort()).toEqual([last.id, inTest.id].sort());
  expect(decodeProtectedHeader(list).kid).toBe(ids[1]);
  expect((await changesOf(api, ids[0])).map(({ type, sequence, after }) => [type, sequence, after])).toEqual([
    ['signing_key.created', 1, null],
    ['signing_key.retired', 2, { retiredAt: '2026-05-01T00:00:00.000Z', publishedUntil: '2026-06-01T00:00:00.000Z' }],
    ['signing_key.withdrawn', 3, { publishedUntil: '2026-05-01T00:00:00.000Z' }],
  ]);
  api.setNow(null);
});

test('rotations and check-outs at once: one current key, every file is verified by a key that is shown', async () => {
  const business = await newBusiness(api);
  const { key } = await newLicensedKey(api, business.live);
  const work = Array.from({ length: 24 }, (_, i) =>
    i % 4 === 0 ? rotated(business.live) : fileOf(api, business, { key, fingerprint: `d${i}` }),
  );
  const files = (await Promise.all(work)).filter((one): one is string => typeof one === 'string');
  const { keys } = await keySet(api, business);
  for (const file of files) {
    const jwk = keys.find(({ kid }) => kid === decodeProtectedHeader(file).kid);
    await compactVerify(file, await importJWK(jwk!, 'EdDSA'));
  }
  const rows = await api.db.sql<{ current: boolean; sealed: boolean }>(
    null,
    'SELECT retired_at IS NULL AS current, key_ciphertext IS NOT NULL AS sealed FROM signing_keys WHERE business_id = $1',
    [rowId(business.id)],
  );
  expect([files.length, rows.filter(({ current }) => current).length]).toEqual([18, 1]);
  expect(rows.every(({ current, sealed }) => current === sealed)).toBe(true);
  const same = await Promise.all([1, 2, 3].map(() => rotated(business.live, { idempotencyKey: 'k' })));
  expect(new Set(same.map(({ id }) => id)).size).toBe(1);
});

test('a file that is signed while its key is withdrawn is signed by the next one, and the withdrawn key stays away', async () => {
  const business = await newBusiness(api);
  const { key } = await newLicensedKey(api, business.live);
  const { id } = await rotated(business.live);
  const withdrawing = await holdRows(
    api,
    'UPDATE signing_keys SET retired_at = created_at, key_ciphertext = NULL, published_until = created_at WHERE id = $1',
    [rowId(id)],
  );
  const signing = fileOf(api, business, { key, fingerprint: 'd' });
  await withdrawing.waiters(1);
  await withdrawing.release();
  const kid = decodeProtectedHeader(await signing).kid;
  expect([kid === id, (await keySet(api, business)).keys.map((one) => one.kid)]).toEqual([false, [kid]]);
});

test('rotation does not wait for files that are being checked out', async () => {
  const business = await newBusiness(api);
  const first = await rotated(business.live);
  const signing = await holdRows(api, 'SELECT 1 FROM signing_keys WHERE id = $1 FOR KEY SHARE', [rowId(first.id)]);
  const second = await rotated(business.live);
  await signing.release();
  expect((await signingKeys(business.live)).map(({ id }: { id: string }) => id)).toEqual([second.id, first.id]);
});

test("nobody rotates another's key or the other mode's, and only an API key with its scope rotates at all", async () => {
  const [mine, theirs] = [await newBusiness(api), await newBusiness(api)];
  const [live, inTest] = [await rotated(mine.live), await rotated(mine.test)];
  await rotated(theirs.live);
  expect((await signingKeys(mine.live)).map(({ id }: { id: string }) => id)).toEqual([live.id]);
  expect(
    (await signingKeys(mine.test)).map(({ id, testMode }: { id: string; testMode: boolean }) => [id, testMode]),
  ).toEqual([[inTest.id, true]]);
  const session = await newSession(api, mine.live, await newCustomer(api, mine.live));
  const narrow = await newApiKey(api, mine.live, ['BUSINESS_READ', 'LICENSE_KEYS_WRITE']);
  const outcomes = [];
  for (const token of [null, session, narrow]) {
    const answer = await rotate(token);
    outcomes.push([answer.status, answer.errors?.[0]?.extensions.code]);
  }
  expect(outcomes).toEqual([
    [401, 'UNAUTHENTICATED'],
    [200, 'FORBIDDEN'],
    [200, 'FORBIDDEN'],
  ]);
  expect((await signingKeys(mine.live)).map(({ id }: { id: string }) => id)).toEqual([live.id]);
});

test("the key set is found by header, parameter or host; it may be kept, holds nothing private, and is no other vendor's", async () => {
  const [mine, theirs] = [await newBusiness(api), await newBusiness(api)];
  const [own, inTest, other] = [await rotated(mine.live), await rotated(mine.test), await rotated(theirs.live)];
  const kids = (response: { json(): { keys: { kid: string }[] } }) => response.json().keys.map(({ kid }) => kid);
  for (const response of [
    await get({ 'brand-url': `https://${mine.brandUrl.toUpperCase()}/shop` }),
    await get({}, `?brand=${mine.brandUrl}`),
    await get({ host: mine.brandUrl }),
    await get({ host: theirs.brandUrl, 'brand-url': mine.brandUrl }, `?brand=${theirs.brandUrl}`),
  ]) {
    expect([response.statusCode, kids(response).sort()]).toEqual([200, [own.id, inTest.id].sort()]);
    expect(response.json<{ keys: object[] }>().keys.map((key) => Object.keys(key).sort())).toEqual([
      ['alg', 'crv', 'kid', 'kty', 'mode', 'use', 'x'],
      ['alg', 'crv', 'kid', 'kty', 'mode', 'use', 'x'],
    ]);
  }
  expect(kids(await get({ host: theirs.brandUrl }))).toEqual([other.id]);
  const kept = await get({ 'brand-url': mine.brandUrl });
  expect([kept.headers['cache-control'], kept.headers['content-type'], kept.headers.vary]).toEqual([
    'public, max-age=60',
    'application/jwk-set+json; charset=utf-8',
    'Origin, Brand-URL, X-Forwarded-Host',
  ]);
  const again = await get({ 'brand-url': mine.brandUrl, 'if-none-match': String(kept.headers.etag) });
  expect([again.statusCode, again.body]).toEqual([304, '']);
  for (const response of [
    await get(),
    await get({ 'brand-url': 'nobody.example.com' }),
    await get({}, '?brand=nobody'),
    await get({}, '?brand=%00'),
  ]) {
    expect([
      response.statusCode,
      response.json<{ errors: { extensions: { code: string } }[] }>().errors[0]?.extensions.code,
    ]).toEqual([400, 'BRAND_NOT_FOUND']);
    expect(response.headers['cache-control']).toBe('no-store');
  }
});

test('a private key is encrypted for its row; changing the encryption key loses none', async () => {
  const business = await newBusiness(api);
  const { key } = await newLicensedKey(api, business.live);
  const { id } = await rotated(business.live);
  const set = (currentId: string, ids: readonly string[]) => ({
    currentId,
    keys: new Map(ids.map((name) => [name, Buffer.alloc(32, name === 'e1' ? 2 : 9)])),
  });
  const keyring = (currentId: string, ids: readonly string[]): Keyring => ({
    hmac: { currentId: 'h1', keys: new Map([['h1', Buffer.alloc(32, 1)]]) },
    encryption: set(currentId, ids),
  });
  const sealedWith = async () => {
    const [row] = await api.db.sql<{ sealed: Buffer }>(
      null,
      'SELECT key_ciphertext AS sealed FROM signing_keys WHERE id = $1',
      [rowId(id)],
    );
    return row!.sealed.subarray(2, 4).toString();
  };
  const parts = { db: api.db, mailFolder: null, clock: () => new Date() };
  expect(await rekeySigningKeys({ ...parts, keyring: keyring('e1', ['e1']) })).toBe(0);
  const texts = ['license_keys', 'license_key_rotations', 'license_key_pool_keys'];
  const now = new Date();
  await checkKeyring(api.db, keyring('e2', ['e2', 'e1']), now);
  for (const table of texts) await api.db.sql(null, `ALTER TABLE ${table} RENAME TO ${table}_aside`, []);
  for (const table of texts)
    await api.db.sql(null, `CREATE VIEW ${table} AS SELECT * FROM ${table}_aside WHERE false`, []);
  await expect(checkKeyring(api.db, keyring('e2', ['e2']), now)).rejects.toThrow('still needs the key "e1"');
  expect(await rekeySigningKeys({ ...parts, keyring: keyring('e2', ['e2', 'e1']) })).toBeGreaterThan(0);
  expect([await sealedWith(), await rekeySigningKeys({ ...parts, keyring: keyring('e2', ['e2', 'e1']) })]).toEqual([
    'e2',
    0,
  ]);
  await checkKeyring(api.db, keyring('e2', ['e2']), now);
  expect(await rekeySigningKeys({ ...parts, keyring: keyring('e1', ['e1', 'e2']) })).toBeGreaterThan(0);
  for (const table of texts) await api.db.sql(null, `DROP VIEW ${table}`, []);
  for (const table of texts) await api.db.sql(null, `ALTER TABLE ${table}_aside RENAME TO ${table}`, []);
  await fileOf(api, business, { key, fingerprint: 'd' });
  await api.db.sql(
    null,
    'UPDATE signing_keys a SET key_ciphertext = b.key_ciphertext FROM signing_keys b WHERE a.id = $1 AND b.id <> a.id AND b.key_ciphertext IS NOT NULL',
    [rowId(id)],
  );
  await expect(fileOf(api, business, { key, fingerprint: 'd' })).rejects.toThrow();
});
