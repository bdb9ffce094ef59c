import { expect, test } from '@jest/globals';
import { useApi } from '../support/api.js';
import { newApiKey, newBusiness, newCustomer, newSession } from '../support/business.js';
import { newEntitlement } from '../support/catalog.js';
import {
  changesOf,
  newGrant,
  newKeyedOffering,
  newLicense,
  newPendingGrant,
  rowId,
  rowsOf,
} from '../support/licenses.js';

const api = useApi();

const revoke = `mutation ($input: RevokeGrantInput!) { revokeGrant(input: $input) {
  grant {
    id status revokedAt revocationReason revocationNote deliveredAt claimedBy errorCode errorMessage
    licenseKey { id status version } version updatedAt
  }
  userErrors { code path } } }`;

async function call(token: string, grantId: string, more: object = {}, headers: Record<string, string> = {}) {
  const variables = { input: { grantId, ...more } };
  const answer = await api.call({ token, query: revoke, variables, headers });
  expect(answer.errors).toBeUndefined();
  return answer.data.revokeGrant;
}

test('a delivered grant is revoked for good with a note, and its key is disabled', async () => {
  const { live } = await newBusiness(api);
  api.setNow('2026-03-01T10:00:00.000Z');
  const grantId = await newGrant(api, live);
  api.setNow('2026-03-01T11:00:00.000Z');
  const { grant, userErrors } = await call(live, grantId, { note: '  Chargeback  ' }, { 'x-actor': 'Ann' });
  api.setNow(null);
  expect(userErrors).toEqual([]);
  expect(grant).toEqual({
    id: grantId,
    status: 'REVOKED',
    revokedAt: '2026-03-01T11:00:00.000Z',
    revocationReason: 'MANUAL',
    revocationNote: 'Chargeback',
    deliveredAt: '2026-03-01T10:00:00.000Z',
    claimedBy: null,
    errorCode: null,
    errorMessage: null,
    licenseKey: { id: expect.stringMatching(/^lkey_/), status: 'DISABLED', version: 2 },
    version: 3,
    updatedAt: '2026-03-01T11:00:00.000Z',
  });
  expect((await changesOf(api, grantId)).at(-1)).toMatchObject({
    type: 'entitlement_grant.revoked',
    sequence: 3,
    actor_name: 'Ann',
    reason: 'Chargeback',
    before: { status: 'DELIVERED', revocationReason: null },
    after: { status: 'REVOKED', revocationReason: 'MANUAL', statusBeforeRevocation: 'DELIVERED' },
    snapshot: { status: 'REVOKED', version: 3 },
  });
  expect((await changesOf(api, grant.licenseKey.id)).at(-1)).toMatchObject({
    type: 'license_key.disabled',
    sequence: 2,
    reason: 'Chargeback',
    before: { status: 'ACTIVE', disabledAt: null },
    after: { status: 'DISABLED', disabledAt: '2026-03-01T11:00:00.000Z' },
  });
});

test('revoking again changes nothing, also when twenty do at once', async () => {
  const { live } = await newBusiness(api);
  // Several rounds: in the first one connections are still being made, so that the calls come one after the other.
  for (let round = 0; round < 3; round++) {
    const grantId = await newGrant(api, live);
    const answers = await Promise.all(Array.from({ length: 20 }, (_, i) => call(live, grantId, { note: `call ${i}` })));
    const notes = new Set(answers.map(({ grant }) => grant.revocationNote));
    expect(notes.size).toBe(1);
    expect(answers.every(({ grant, userErrors }) => grant.status === 'REVOKED' && userErrors.length === 0)).toBe(true);
    const before = await rowsOf(api);
    expect((await call(live, grantId, { note: 'too late' })).grant.revocationNote).toBe([...notes][0]);
    expect(await rowsOf(api)).toBe(before);
    expect((await changesOf(api, grantId)).map(({ type }) => type)).toEqual([
      'entitlement_grant.created',
      'entitlement_grant.delivered',
      'entitlement_grant.revoked',
    ]);
  }
});

test('a pending and a failed grant are revoked too, and a claim on them ends', async () => {
  const { live } = await newBusiness(api);
  const pending = await newPendingGrant(api, live);
  const claim = `mutation ($input: ClaimGrantInput!) { claimGrant(input: $input) { userErrors { message } } }`;
  const headers = { 'x-actor': 'Ann' };
  await api.data({ token: live, query: claim, variables: { input: { grantId: pending } }, headers });
  const failed = await newPendingGrant(api, live);
  await api.db.sql(null, `UPDATE grants SET status = 'FAILED', error_code = 'x', error_message = 'y' WHERE id = $1`, [
    rowId(failed),
  ]);
  for (const [id, version] of [
    [pending, 3],
    [failed, 2],
  ] as const) {
    expect((await call(live, id)).grant).toMatchObject({
      status: 'REVOKED',
      revocationNote: null,
      licenseKey: null,
      claimedBy: null,
      errorCode: null,
      version,
    });
  }
  expect((await changesOf(api, failed)).at(-1)?.before).toMatchObject({ status: 'FAILED', errorCode: 'x' });
});

test('the key of a revoked grant stays on while another license that is not cancelled uses it', async () => {
  const { live } = await newBusiness(api);
  const productOfferingId = await newKeyedOffering(api, live);
  const make = async () => {
    const license = await newLicense(api, live, { productOfferingId });
    const query = 'query ($id: ID!) { license(id: $id) { grants { id } licenseKeys { id } } }';
    const { grants, licenseKeys } = (await api.data({ token: live, query, variables: { id: license } })).license;
    return { license, grantId: grants[0].id as string, keyId: licenseKeys[0].id as string };
  };
  const share = async (keyId: string, license: string) =>
    api.db.sql(
      null,
      `INSERT INTO license_key_bindings (business_id, mode, license_key_id, license_id, created_at)
        SELECT business_id, mode, $1, id, now() FROM licenses WHERE id = $2`,
      [rowId(keyId), rowId(license)],
    );
  const close = async (license: string) =>
    api.db.sql(null, `UPDATE licenses SET valid_until = valid_from + interval '1 ms' WHERE id = $1`, [rowId(license)]);
  const status = (answer: { grant: { licenseKey: { status: string } } }) => answer.grant.licenseKey.status;
  const alone = await make();
  expect(status(await call(live, alone.grantId))).toBe('DISABLED');
  // Later licenses, because one key has one license at a time.
  const other = await newLicense(api, live, { activationDate: '2999-01-01' });
  const shared = await make();
  await close(shared.license);
  await share(shared.keyId, other);
  expect(status(await call(live, shared.grantId))).toBe('ACTIVE');
  expect((await changesOf(api, shared.keyId)).map(({ type }) => type)).toEqual(['license_key.created']);
  const cancelled = await newLicense(api, live, { activationDate: '2999-01-01' });
  const once = await make();
  await close(once.license);
  await share(once.keyId, cancelled);
  await api.db.sql(
    null,
    `UPDATE licenses SET pending_status = 'CANCELLED', pending_status_at = now() - interval '1 s' WHERE id = $1`,
    [rowId(cancelled)],
  );
  expect(status(await call(live, once.grantId))).toBe('DISABLED');
});

test('what is not there, another mode’s or brand’s, or too long a note is refused and changes nothing', async () => {
  const { live, test: testToken } = await newBusiness(api);
  const theirs = await newBusiness(api);
  const grantId = await newGrant(api, live);
  const entitlementId = await newEntitlement(api, live);
  const url = `${rowId(grantId)}.example.com`;
  const createBrand = `mutation ($url: String!) { createBrand(input: { name: "Second", url: $url }) { userErrors { message } } }`;
  await api.data({ token: live, query: createBrand, variables: { url } });
  const cases: [string, object, Record<string, string>, string, string][] = [
    ['nonsense', {}, {}, 'GRANT_NOT_FOUND', 'input.grantId'],
    [await newGrant(api, theirs.live), {}, {}, 'GRANT_NOT_FOUND', 'input.grantId'],
    [await newGrant(api, testToken, { entitlementId }), {}, {}, 'MODE_MISMATCH', 'input.grantId'],
    [grantId, {}, { 'brand-url': url }, 'BRAND_MISMATCH', 'input.grantId'],
    [grantId, { note: 'n'.repeat(2001) }, {}, 'INVALID_INPUT', 'input.note'],
    [grantId, { idempotencyKey: 'i'.repeat(257) }, {}, 'INVALID_INPUT', 'input.idempotencyKey'],
  ];
  const before = await rowsOf(api);
  for (const [id, more, headers, code, path] of cases) {
    expect(await call(live, id, more, headers)).toEqual({
      grant: null,
      userErrors: [{ code, path: path.split('.') }],
    });
  }
  expect(await rowsOf(api)).toBe(before);
});

test('a key without the scope, a session and nobody may not revoke', async () => {
  const { live } = await newBusiness(api);
  const customerId = await newCustomer(api, live);
  const grantId = await newGrant(api, live, { customerId });
  const narrow = await newApiKey(api, live, ['GRANTS_FULFILL', 'GRANTS_READ']);
  const session = await newSession(api, live, customerId);
  for (const [token, code] of [
    [narrow, 'FORBIDDEN'],
    [session, 'FORBIDDEN'],
    [null, 'UNAUTHENTICATED'],
  ] as const) {
    const answer = await api.call({ token, query: revoke, variables: { input: { grantId } } });
    expect(answer.errors?.map(({ extensions }) => extensions.code)).toEqual([code]);
  }
  expect(await changesOf(api, grantId)).toHaveLength(2);
});
