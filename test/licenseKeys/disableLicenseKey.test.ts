import { expect, test } from '@jest/globals';
import { globalId, newId } from '../../src/kernel/id.js';
import { useApi } from '../support/api.js';
import { newApiKey, newBusiness, newCustomer, newSession } from '../support/business.js';
import { newLicenseKey } from '../support/licenseKeys.js';
import { changesOf, newGrant, newKeyedOffering, newLicense, rowId, rowsOf } from '../support/licenses.js';
import { callKey, refusals } from './keyCalls.js';

const api = useApi();
const disable = (token: string, licenseKeyId: string, more: object = {}) =>
  callKey(api, token, 'disableLicenseKey', { licenseKeyId, ...more });
const enable = (token: string, licenseKeyId: string, more: object = {}) =>
  callKey(api, token, 'enableLicenseKey', { licenseKeyId, ...more });

async function newGrantedKey(token: string): Promise<{ id: string; licenseId: string; grantId: string }> {
  const licenseId = await newLicense(api, token, { productOfferingId: await newKeyedOffering(api, token) });
  const query = 'query ($id: ID!) { license(id: $id) { licenseKeys { id } grants { id } } }';
  const { license } = await api.data({ token, query, variables: { id: licenseId } });
  return { id: license.licenseKeys[0].id, licenseId, grantId: license.grants[0].id };
}

async function change(token: string, mutation: string, input: Record<string, unknown>): Promise<void> {
  const type = `${mutation[0]?.toUpperCase()}${mutation.slice(1)}Input`;
  const query = `mutation ($input: ${type}!) { ${mutation}(input: $input) { userErrors { message } } }`;
  await api.data({ token, query, variables: { input } });
}

async function grantOf(token: string, id: string): Promise<any> {
  const query = 'query ($id: ID!) { grant(id: $id) { status revocationReason revokedAt license { status isActive } } }';
  return (await api.data({ token, query, variables: { id } })).grant;
}

test('disabling takes back what the key delivered and leaves its license; enabling gives it back', async () => {
  const { live } = await newBusiness(api);
  const { id, licenseId, grantId } = await newGrantedKey(live);
  api.setNow('2026-12-01T10:00:00.000Z');
  const { licenseKey, userErrors } = await disable(live, id, { reason: '  Shared on a forum ' });
  expect(userErrors).toEqual([]);
  expect(licenseKey).toMatchObject({
    id,
    status: 'DISABLED',
    disabledAt: '2026-12-01T10:00:00.000Z',
    disabledReason: 'Shared on a forum',
    licenses: [{ id: licenseId, status: 'ACTIVE' }],
    grants: [{ id: grantId, status: 'REVOKED' }],
    version: 2,
    updatedAt: '2026-12-01T10:00:00.000Z',
  });
  expect(await grantOf(live, grantId)).toEqual({
    status: 'REVOKED',
    revocationReason: 'KEY_DISABLED',
    revokedAt: '2026-12-01T10:00:00.000Z',
    license: { status: 'ACTIVE', isActive: true },
  });
  const back = await enable(live, id, { reason: 'Sorry' });
  api.setNow(null);
  expect(back.userErrors).toEqual([]);
  expect(back.licenseKey).toMatchObject({ status: 'ACTIVE', disabledAt: null, disabledReason: null, version: 3 });
  expect(await grantOf(live, grantId)).toMatchObject({ status: 'DELIVERED', revocationReason: null, revokedAt: null });
  expect((await changesOf(api, id)).slice(1)).toMatchObject([
    {
      type: 'license_key.disabled',
      sequence: 2,
      reason: 'Shared on a forum',
      before: { status: 'ACTIVE' },
      after: { status: 'DISABLED' },
    },
    {
      type: 'license_key.enabled',
      sequence: 3,
      reason: 'Sorry',
      before: { status: 'DISABLED' },
      after: { status: 'ACTIVE' },
    },
  ]);
  expect((await changesOf(api, grantId)).map(({ type }) => type)).toEqual([
    'entitlement_grant.created',
    'entitlement_grant.delivered',
    'entitlement_grant.revoked',
    'entitlement_grant.restored',
  ]);
});

test('disabling again, and enabling what is enabled, change nothing', async () => {
  const { live } = await newBusiness(api);
  const { id } = await newGrantedKey(live);
  await disable(live, id, { reason: 'first' });
  let before = await rowsOf(api);
  expect((await disable(live, id, { reason: 'second' })).licenseKey.disabledReason).toBe('first');
  expect(await rowsOf(api)).toBe(before);
  await enable(live, id);
  before = await rowsOf(api);
  expect((await enable(live, id)).licenseKey.status).toBe('ACTIVE');
  expect(await rowsOf(api)).toBe(before);
});

test('of two causes at once, each must end: whichever begins or ends first', async () => {
  const { live } = await newBusiness(api);
  for (const [first, second] of [
    ['key', 'license'],
    ['license', 'key'],
  ]) {
    for (const ended of [first, second]) {
      const { id, licenseId, grantId } = await newGrantedKey(live);
      const begin = async (what: string) =>
        what === 'key' ? disable(live, id) : change(live, 'pauseLicense', { licenseId });
      const end = async (what: string) =>
        what === 'key' ? enable(live, id) : change(live, 'resumeLicense', { licenseId });
      await begin(first as string);
      await begin(second as string);
      const reasons = { key: 'KEY_DISABLED', license: 'LICENSE_PAUSED' } as Record<string, string>;
      expect(await grantOf(live, grantId)).toMatchObject({ revocationReason: reasons[first as string] });
      await end(ended as string);
      const other = ended === first ? second : first;
      expect(await grantOf(live, grantId)).toMatchObject({
        status: 'REVOKED',
        revocationReason: reasons[other as string],
      });
      await end(other as string);
      expect(await grantOf(live, grantId)).toMatchObject({ status: 'DELIVERED', revocationReason: null });
    }
  }
});

test('a key whose grant was revoked for good stays off, unless another license that is not cancelled uses it', async () => {
  const { live } = await newBusiness(api);
  const manual = await newGrantedKey(live);
  await change(live, 'revokeGrant', { grantId: manual.grantId });
  const cancelled = await newGrantedKey(live);
  await disable(live, cancelled.id);
  await change(live, 'cancelLicense', { licenseId: cancelled.licenseId });
  for (const [{ id }, reason] of [
    [manual, 'MANUAL'],
    [cancelled, 'LICENSE_CANCELLED'],
  ] as const) {
    const before = await rowsOf(api);
    const query = `mutation ($input: EnableLicenseKeyInput!) { enableLicenseKey(input: $input) {
      licenseKey { id } userErrors { code path ... on GrantRevoked { reason } } } }`;
    const { enableLicenseKey } = await api.data({
      token: live,
      query: query.replace('userErrors', 'refused: userErrors'),
      variables: { input: { licenseKeyId: id } },
    });
    expect(enableLicenseKey).toEqual({
      licenseKey: null,
      refused: [{ code: 'GRANT_REVOKED', path: ['input', 'licenseKeyId'], reason }],
    });
    expect(await rowsOf(api)).toBe(before);
  }
  const other = await newLicense(api, live);
  await api.db.sql(
    null,
    `INSERT INTO license_key_bindings (business_id, mode, license_key_id, license_id, created_at)
      SELECT business_id, mode, id, $2, now() FROM license_keys WHERE id = $1`,
    [rowId(cancelled.id), rowId(other)],
  );
  expect((await enable(live, cancelled.id)).licenseKey.status).toBe('ACTIVE');
  expect(await grantOf(live, cancelled.grantId)).toMatchObject({ revocationReason: 'LICENSE_CANCELLED' });
});

test('disabling, enabling, pausing and resuming at once end in a state that agrees with itself', async () => {
  const { live } = await newBusiness(api);
  for (let round = 0; round < 6; round++) {
    const { id, licenseId, grantId } = await newGrantedKey(live);
    const license = (mutation: string) =>
      api.call({
        token: live,
        query: `mutation ($input: ${mutation[0]?.toUpperCase()}${mutation.slice(1)}Input!) { ${mutation}(input: $input) { userErrors { code } } }`,
        variables: { input: { licenseId } },
      });
    const answers = await Promise.all([
      ...Array.from({ length: 4 }, () => [disable(live, id), enable(live, id)]).flat(),
      ...['pauseLicense', 'resumeLicense', 'pauseLicense', 'resumeLicense'].map(license),
      change(live, 'revokeGrant', { grantId: round < 3 ? grantId : await newGrant(api, live) }),
    ]);
    expect(answers.flatMap((answer: any) => answer?.errors ?? [])).toEqual([]);
    const [row] = await api.db.sql<any>(
      null,
      `SELECT k.status AS key, l.status AS license, g.status AS grant, g.revocation_causes AS causes, g.revocation_reason AS reason,
          k.version = (SELECT count(*) FROM changes WHERE object_id = k.id) AS k, g.version = (SELECT count(*) FROM changes WHERE object_id = g.id) AS g
        FROM grants g JOIN license_keys k ON k.id = g.license_key_id JOIN licenses l ON l.id = g.license_id WHERE g.id = $1`,
      [rowId(grantId)],
    );
    expect([row.k, row.g]).toEqual([true, true]);
    if (round < 3) {
      expect(row).toMatchObject({ key: 'DISABLED', grant: 'REVOKED', reason: 'MANUAL', causes: [] });
    } else {
      const causes = [
        ...(row.key === 'DISABLED' ? ['KEY_DISABLED'] : []),
        ...(row.license === 'PAUSED' ? ['LICENSE_PAUSED'] : []),
      ];
      expect([...row.causes].sort()).toEqual(causes);
      expect(row.grant).toBe(causes.length > 0 ? 'REVOKED' : 'DELIVERED');
    }
  }
});

test.each(['disableLicenseKey', 'enableLicenseKey'])(
  '%s: not another tenant’s, other mode’s, nor without the scope',
  async (mutation) => {
    const [mine, theirs] = [await newBusiness(api), await newBusiness(api)];
    const customerId = await newCustomer(api, mine.live);
    const licenseKeyId = await newLicenseKey(api, mine.live, { customerId });
    const before = await rowsOf(api);
    const cases: [string, Record<string, unknown>, string][] = [
      [theirs.live, { licenseKeyId }, 'LICENSE_KEY_NOT_FOUND input.licenseKeyId'],
      [mine.test, { licenseKeyId }, 'MODE_MISMATCH input.licenseKeyId'],
      [mine.live, { licenseKeyId: globalId('LicenseKey', newId()) }, 'LICENSE_KEY_NOT_FOUND input.licenseKeyId'],
      [mine.live, { licenseKeyId, expectedVersion: 9 }, 'STALE_OBJECT input.expectedVersion'],
      [mine.live, { licenseKeyId, reason: 'x'.repeat(2001) }, 'INVALID_INPUT input.reason'],
    ];
    for (const [token, input, expected] of cases) {
      expect(refusals(await callKey(api, token, mutation, input))).toEqual([expected]);
    }
    expect(await rowsOf(api)).toBe(before);
    const query = `mutation ($input: ${mutation[0]?.toUpperCase()}${mutation.slice(1)}Input!) { ${mutation}(input: $input) { userErrors { code } } }`;
    const narrow = await newApiKey(api, mine.live, ['LICENSE_KEYS_READ']);
    for (const token of [narrow, await newSession(api, mine.live, customerId)]) {
      const answer = await api.call({ token, query, variables: { input: { licenseKeyId } } });
      expect(answer.errors?.map(({ extensions }) => extensions.code)).toEqual(['FORBIDDEN']);
    }
  },
);
