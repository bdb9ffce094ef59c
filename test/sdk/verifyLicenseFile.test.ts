import { createHash, createHmac, randomUUID } from 'node:crypto';
import { beforeAll, expect, test } from '@jest/globals';
import { base64url, CompactSign, exportJWK, generateKeyPair, type JWK } from 'jose';
import { verifyLicenseFile, type KeySet, type VerifyLicenseFileOptions } from '../../sdk/src/index.js';

type Signer = Awaited<ReturnType<typeof generateKeyPair>>['privateKey'];
interface Pair {
  readonly kid: string;
  readonly privateKey: Signer;
  readonly jwk: JWK & { mode: string };
}

const HOUR = 3_600_000;
const issued = Date.parse('2026-05-01T00:00:00.000Z');
const at = (ms: number) => new Date(issued + ms).toISOString();
const fingerprintHash = createHash('sha256').update('lkey_1\nmac-1').digest('base64url');
const claims = {
  ...{ iss: 'biz_1', jti: randomUUID(), testMode: false, brand: 'shop.example.com' },
  licenseKey: { id: 'lkey_1', expiresAt: null },
  ...{ license: null, product: { sku: 'STUDIO', name: 'Studio' }, productSkus: ['STUDIO', 'PLUGIN'] },
  entitlements: [{ name: 'Key', integrationType: 'LICENSE_KEY', status: 'DELIVERED' }],
  device: { fingerprintHash, activationId: 'act_1' },
  ...{ issuedAt: at(0), notBefore: at(0), expiresAt: at(10 * HOUR), graceUntil: at(20 * HOUR) },
  revocation: { entries: ['of key', 'of device'], listVersion: '7' },
};
const list = {
  ...{ iss: 'biz_1', testMode: false, since: '0', version: '8', complete: true, issuedAt: at(HOUR) },
  ...{ revoked: ['another'], restored: [] as string[] },
};

let live: Pair;
let retired: Pair;
let inTest: Pair;
let foreign: Pair;
let jwks: KeySet;

beforeAll(async () => {
  const pair = async (kid: string, mode: string): Promise<Pair> => {
    const { privateKey, publicKey } = await generateKeyPair('EdDSA', { crv: 'Ed25519', extractable: true });
    return { kid, privateKey, jwk: { ...(await exportJWK(publicKey)), kid, mode, alg: 'EdDSA', use: 'sig' } };
  };
  [live, retired, inTest, foreign] = await Promise.all([
    ...[pair('skey_live', 'live'), pair('skey_old', 'live'), pair('skey_test', 'test')],
    pair('skey_live', 'live'),
  ] as [Promise<Pair>, Promise<Pair>, Promise<Pair>, Promise<Pair>]);
  jwks = { keys: [live.jwk, retired.jwk, inTest.jwk] };
});

const signed = (body: object, by = live, header: object = {}) =>
  new CompactSign(new TextEncoder().encode(JSON.stringify(body)))
    .setProtectedHeader({ alg: 'EdDSA', kid: by.kid, typ: 'latchkey-license+jwt', ...header })
    .sign(by.privateKey);
const file = (fields: object = {}, by = live, header: object = {}) => signed({ ...claims, ...fields }, by, header);
const page = (fields: object = {}, by = live, header: object = {}) =>
  signed({ ...list, ...fields }, by, { typ: 'latchkey-revocations+jwt', ...header });

async function verify(text: string | Promise<string>, options: Partial<VerifyLicenseFileOptions> = {}) {
  return verifyLicenseFile({ file: await text, jwks, fingerprint: 'mac-1', now: issued + HOUR, ...options });
}
const reason = async (...given: Parameters<typeof verify>) => {
  const result = await verify(...given);
  expect(result.usable).toBe(result.reason === null || result.reason === 'IN_GRACE');
  return result.reason;
};
const unsigned = (header: object, body: object = claims, signature = '') =>
  [header, body].map((part) => base64url.encode(JSON.stringify(part))).join('.') + `.${signature}`;

test('a good file: what it says, and the instant to remember', async () => {
  expect(await verify(file())).toEqual({
    ...{ usable: true, reason: null, message: 'The license file is good.', license: claims, lastSeen: at(HOUR) },
  });
  expect(await verify(`\n${await file({}, retired)}\n`, { lastSeen: at(HOUR + 60_000) })).toMatchObject({
    ...{ usable: true, lastSeen: at(HOUR + 60_000) },
  });
  const everything = {
    ...{ brandUrl: ['other.example.com', 'https://SHOP.example.com/'], productSku: 'PLUGIN', issuer: 'biz_1' },
    ...{ revocationList: await page(), lastSeen: null },
  };
  expect(await reason(file(), everything)).toBeNull();
  expect(await reason(file({ productSkus: [] }), { productSku: 'ANY' })).toBeNull();
  expect(await reason(file({ testMode: true }, inTest), { testMode: true })).toBeNull();
});

test('every character counts: one that is changed, in whichever part, is noticed', async () => {
  const text = await file();
  const other = (character: string) => (character === 'A' ? 'B' : 'A');
  for (let i = 0; i < text.length; i += 11 + (i % 7)) {
    const changed = text.slice(0, i) + (text[i] === '.' ? 'x' : other(text[i]!)) + text.slice(i + 1);
    const result = await verify(changed);
    expect([i, result.usable, result.license]).toEqual([i, false, null]);
  }
  for (const broken of [
    '',
    '.',
    '..',
    'x',
    `${text}x`,
    `${text}=`,
    text.slice(0, -1),
    `${text}.x`,
    text.replace('.', ' .'),
  ]) {
    expect([broken, await reason(broken)]).toEqual([broken, 'TAMPERED']);
  }
  const last = text.slice(0, -1);
  const spellings = [...'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'].map((end) => last + end);
  const accepted = await Promise.all(spellings.map(async (spelling) => (await verify(spelling)).usable));
  expect(accepted.filter(Boolean)).toHaveLength(1);
});

test('nothing but EdDSA by a known key is believed, whatever a file says about itself', async () => {
  const header = { kid: live.kid, typ: 'latchkey-license+jwt' };
  expect(await reason(unsigned({ ...header, alg: 'none' }))).toBe('WRONG_ALGORITHM');
  expect(await reason(unsigned(header))).toBe('WRONG_ALGORITHM');
  for (const secret of [live.jwk.x!, Buffer.from(live.jwk.x!, 'base64url'), JSON.stringify(live.jwk)]) {
    const body = unsigned({ ...header, alg: 'HS256' }).slice(0, -1);
    const forged = `${body}.${createHmac('sha256', secret).update(body).digest('base64url')}`;
    expect(await reason(forged)).toBe('WRONG_ALGORITHM');
    const renamed = unsigned({ ...header, alg: 'EdDSA' }).slice(0, -1);
    expect(await reason(`${renamed}.${createHmac('sha256', secret).update(renamed).digest('base64url')}`)).toBe(
      'TAMPERED',
    );
  }
  for (const alg of ['eddsa', 'Ed25519', 'ES256', 'RS256']) {
    expect(await reason(unsigned({ ...header, alg }, claims, 'AAAA'))).toBe('WRONG_ALGORITHM');
  }
  expect(await reason(file({}, foreign))).toBe('TAMPERED');
  expect(await reason(file({}, { ...foreign, kid: 'skey_new' }))).toBe('UNKNOWN_KEY');
  expect(await reason(file({}, foreign, { jwk: foreign.jwk, jku: 'https://evil.example.com' }))).toBe('TAMPERED');
  expect(await reason(unsigned({ alg: 'EdDSA', typ: header.typ }))).toBe('UNKNOWN_KEY');
  expect(await reason(unsigned({ ...header, alg: 'EdDSA', kid: '__proto__' }))).toBe('UNKNOWN_KEY');
  const symmetric = { keys: [{ kty: 'oct', k: live.jwk.x, kid: live.kid }] } as never;
  expect(await reason(file(), { jwks: symmetric })).toBe('UNKNOWN_KEY');
  expect(await reason(file(), { jwks: { keys: [{ ...live.jwk, x: 'AAAA' }] } })).toBe('UNKNOWN_KEY');
  expect(await reason(page())).toBe('WRONG_TYPE');
  for (const other of [
    { device: null },
    { revocation: { entries: [], listVersion: 'x' } },
    { productSkus: undefined },
  ]) {
    expect(await reason(file(other))).toBe('WRONG_TYPE');
  }
  expect(await reason(signed(claims, live, { typ: 'JWT' }))).toBe('WRONG_TYPE');
  const critical = [
    { ...header, alg: 'EdDSA', crit: ['exp'], exp: 1 },
    { ...header, alg: 'EdDSA', crit: ['b64'], b64: false },
  ];
  for (const given of critical) expect(await reason(unsigned(given, claims, 'AAAA'))).toBe('TAMPERED');
});

test('a file that is good elsewhere is not good here', async () => {
  expect(await reason(file(), { fingerprint: 'mac-2' })).toBe('WRONG_DEVICE');
  expect(await reason(file(), { fingerprint: '' })).toBe('WRONG_DEVICE');
  expect(await reason(file({ licenseKey: { id: 'lkey_2', expiresAt: null } }))).toBe('WRONG_DEVICE');
  expect(await reason(file(), { productSku: 'OTHER' })).toBe('WRONG_PRODUCT');
  expect(await reason(file(), { brandUrl: 'other.example.com' })).toBe('WRONG_BRAND');
  expect(await reason(file(), { brandUrl: [] })).toBe('WRONG_BRAND');
  expect(await reason(file(), { issuer: 'biz_2' })).toBe('WRONG_ISSUER');
  expect(await reason(file(), { testMode: true })).toBe('WRONG_MODE');
  expect(await reason(file({ testMode: true }, inTest))).toBe('WRONG_MODE');
  // A key of test data signs nothing live, nor the other way round.
  expect(await reason(file({}, inTest))).toBe('WRONG_MODE');
  expect(await reason(file({ testMode: true }), { testMode: true })).toBe('WRONG_MODE');
  expect(await reason(file(), { jwks: { keys: [{ ...live.jwk, mode: undefined }] } })).toBe('WRONG_MODE');
});

test('time: the last millisecond of each, and a clock that was set back', async () => {
  const now = (ms: number, fields: Partial<VerifyLicenseFileOptions> = {}) =>
    reason(file(), { now: issued + ms, ...fields });
  expect([await now(10 * HOUR - 1), await now(10 * HOUR)]).toEqual([null, 'IN_GRACE']);
  expect([await now(20 * HOUR - 1), await now(20 * HOUR), await now(1e15)]).toEqual(['IN_GRACE', 'EXPIRED', 'EXPIRED']);
  expect([await now(-300_000), await now(-300_001)]).toEqual([null, 'CLOCK_SET_BACK']);
  const lastSeen = at(15 * HOUR);
  expect([await now(14.95 * HOUR, { lastSeen }), await now(HOUR, { lastSeen })]).toEqual([
    'IN_GRACE',
    'CLOCK_SET_BACK',
  ]);
  // What was seen has passed, though the device's clock is a little behind it.
  expect([
    await now(20 * HOUR - 60_000, { lastSeen: at(20 * HOUR) }),
    await now(20 * HOUR - 60_000, { revocationList: await page({ issuedAt: at(20 * HOUR) }) }),
    await now(10 * HOUR - 60_000, { lastSeen: at(10 * HOUR) }),
  ]).toEqual(['EXPIRED', 'EXPIRED', 'IN_GRACE']);
  const revocationList = await page({ issuedAt: at(3 * HOUR) });
  expect([await now(3 * HOUR, { revocationList }), await now(2 * HOUR, { revocationList })]).toEqual([
    null,
    'CLOCK_SET_BACK',
  ]);
  expect(await now(HOUR, { lastSeen: 'never' })).toBeNull();
  // The clock that is not believed is not remembered either; one that is goes on.
  const back = await verify(file(), { now: issued + HOUR, lastSeen });
  expect([back.reason, back.lastSeen]).toEqual(['CLOCK_SET_BACK', lastSeen]);
  expect((await verify(file(), { now: issued + 16 * HOUR, lastSeen })).lastSeen).toBe(at(16 * HOUR));
  expect((await verify('x', { lastSeen })).lastSeen).toBe(lastSeen);
  expect(await reason(file({ notBefore: at(2 * HOUR) }))).toBe('NOT_YET_VALID');
  expect(await reason(file({ expiresAt: 'soon', graceUntil: 'later' }))).toBe('EXPIRED');
  expect(await reason(file(), { now: NaN })).not.toBeNull();
});

test('the revocation list: key and device are found, and only a whole list of this vendor that is new enough counts', async () => {
  const listed = async (...pages: Promise<string>[]) => reason(file(), { revocationList: await Promise.all(pages) });
  expect(await listed(page())).toBeNull();
  expect(await listed(page({ revoked: ['of key'] }))).toBe('REVOKED');
  expect(await listed(page({ revoked: ['x', 'of device'] }, retired))).toBe('REVOKED');
  expect(await reason(file(), { revocationList: await page({ revoked: ['of key'] }), now: issued + 30 * HOUR })).toBe(
    'REVOKED',
  );
  const first = page({ revoked: ['of key', 'of device'], version: '9', complete: false });
  const second = page({ since: '9', version: '12', revoked: ['z'], restored: ['of key'], complete: true });
  const third = page({ since: '12', version: '13', revoked: [], restored: ['of device'] });
  expect([await listed(first, second), await listed(first, second, third)]).toEqual(['REVOKED', null]);
  for (const pages of [[], [first], [second], [first, third], [second, first], [first, first, second]]) {
    expect(await listed(...pages)).toBe('REVOCATION_LIST_INVALID');
  }
  for (const wrong of [
    page({ iss: 'biz_2' }),
    page({ testMode: true }, inTest),
    page({}, inTest),
    page({}, foreign),
    page({}, live, { typ: 'latchkey-license+jwt' }),
    page({ issuedAt: 'today' }),
    page({ revoked: null }),
    page({ version: 'x' }),
    file(),
    Promise.resolve(unsigned({ alg: 'none', typ: 'latchkey-revocations+jwt' }, list)),
    Promise.resolve('x'),
  ]) {
    expect(await listed(wrong)).toBe('REVOCATION_LIST_INVALID');
  }
  expect([await listed(page({ version: '7' })), await listed(page({ version: '6' }))]).toEqual([
    null,
    'REVOCATION_LIST_OUTDATED',
  ]);
  expect(await reason(file(), { revocationList: null })).toBeNull();
  // The file may have been checked out because the key was restored.
  expect(await listed(page({ version: '6', revoked: ['of key'] }))).toBe('REVOCATION_LIST_OUTDATED');
  const aged = async (revocationListMaxAge: number) =>
    reason(file(), { revocationList: await page(), now: issued + 2 * HOUR, revocationListMaxAge });
  expect([await aged(3_600), await aged(3_599)]).toEqual([null, 'REVOCATION_LIST_OUTDATED']);
  const named = {
    revocationList: await page({ revoked: ['of key'] }),
    revocationListMaxAge: 1,
    now: issued + 2 * HOUR,
  };
  expect(await reason(file(), named)).toBe('REVOKED');
});
