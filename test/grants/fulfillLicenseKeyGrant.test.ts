import { expect, test } from '@jest/globals';
import { useApi } from '../support/api.js';
import { newApiKey, newBusiness, newCustomer, newSession } from '../support/business.js';
import { attachEntitlement, newProductOffering } from '../support/catalog.js';
import { changesOf, newGrant, newLicense, newPendingGrant, rowId, rowsOf } from '../support/licenses.js';

const api = useApi();

const fulfill = `mutation ($input: FulfillLicenseKeyGrantInput!) {
  fulfillLicenseKeyGrant(input: $input) {
    grant {
      id businessId customerId customer { name } entitlementId entitlement { id } integrationType fulfillmentMode status
      deliveredAt revokedAt revocationReason revocationNote errorCode errorMessage paymentId subscriptionId
      licenseKey { id key activationsUsed activationsLimit expiresAt source status licenses { id } }
      license { id } order { id } dueAt ageSeconds claimedBy claimedUntil
      deliveries { recipient template status failure attempts } testMode metadata version createdAt updatedAt
      history { nodes { type } }
    }
    userErrors { __typename message path code ... on GrantNotPending { status } ... on GrantClaimed { claimedBy claimedUntil } }
  }
}`;
const claim = `mutation ($input: ClaimGrantInput!) { claimGrant(input: $input) { grant { id } userErrors { code } } }`;

async function call(token: string, input: object, headers: Record<string, string> = {}) {
  const answer = await api.call({ token, query: fulfill, variables: { input }, headers });
  expect(answer.errors).toBeUndefined();
  return answer.data.fulfillLicenseKeyGrant;
}

/** What a call is refused with: code and path of each error. */
async function refusals(token: string, input: object, headers: Record<string, string> = {}) {
  const { grant, userErrors } = await call(token, input, headers);
  expect(grant).toBeNull();
  return userErrors.map(({ code, path }: { code: string; path: string[] }) => [code, path.join('.')]);
}

test('a fulfilled grant is delivered with its key, every field as Dodo Payments has it', async () => {
  const business = await newBusiness(api);
  const { live } = business;
  const customerId = await newCustomer(api, live, { email: 'erika@example.com' });
  api.setNow('2026-03-01T10:00:00.000Z');
  const grantId = await newPendingGrant(api, live, {
    customerId,
    metadata: { channel: 'phone' },
    paymentId: 'pay_1',
    subscriptionId: 'sub_1',
  });
  api.setNow('2026-03-01T11:30:00.000Z');
  const { grant, userErrors } = await call(live, {
    grantId,
    key: '  MY-KEY 0001 ',
    activationsLimit: 5,
    expiresAt: '2027-01-01T00:00:00Z',
  });
  api.setNow(null);
  expect(userErrors).toEqual([]);
  const entitlement = grant.entitlement.id;
  expect(grant).toEqual({
    id: grantId,
    businessId: business.id,
    customerId,
    customer: { name: 'Erika Mustermann' },
    entitlementId: entitlement,
    entitlement: { id: expect.stringMatching(/^ent_/) },
    integrationType: 'LICENSE_KEY',
    fulfillmentMode: 'MANUAL',
    status: 'DELIVERED',
    deliveredAt: '2026-03-01T11:30:00.000Z',
    revokedAt: null,
    revocationReason: null,
    revocationNote: null,
    errorCode: null,
    errorMessage: null,
    paymentId: 'pay_1',
    subscriptionId: 'sub_1',
    licenseKey: {
      id: expect.stringMatching(/^lkey_/),
      key: 'MY-KEY 0001',
      activationsUsed: 0,
      activationsLimit: 5,
      expiresAt: '2027-01-01T00:00:00.000Z',
      source: 'MANUAL',
      status: 'ACTIVE',
      licenses: [],
    },
    license: null,
    order: null,
    dueAt: '2026-03-02T10:00:00.000Z',
    ageSeconds: 5400,
    claimedBy: null,
    claimedUntil: null,
    deliveries: [
      { recipient: 'erika@example.com', template: 'license-key', status: 'QUEUED', failure: null, attempts: 0 },
    ],
    testMode: false,
    metadata: { channel: 'phone' },
    version: 2,
    createdAt: '2026-03-01T10:00:00.000Z',
    updatedAt: '2026-03-01T11:30:00.000Z',
    history: { nodes: [{ type: 'entitlement_grant.delivered' }, { type: 'entitlement_grant.created' }] },
  });
  const [, delivered] = await changesOf(api, grantId);
  const licenseKeyId = rowId(grant.licenseKey.id);
  const deliveredAt = '2026-03-01T11:30:00.000Z';
  expect(delivered).toMatchObject({
    sequence: 2,
    before: { status: 'PENDING', licenseKeyId: null, deliveredAt: null },
    after: { status: 'DELIVERED', licenseKeyId, deliveredAt },
    snapshot: { status: 'DELIVERED', licenseKeyId, deliveredAt, version: 2 },
  });
  expect((await changesOf(api, grant.licenseKey.id)).map(({ type }) => type)).toEqual([
    'license_key.created',
    'license_key.revealed',
  ]);
});

test('what is left out comes from the entitlement, its duration counted from the delivery; the key hangs on the license', async () => {
  const { live } = await newBusiness(api);
  const productOfferingId = await newProductOffering(api, live);
  const licenseKey = { fulfillmentMode: 'MANUAL', activationsLimit: 3, duration: { count: 1, unit: 'MONTH' } };
  await attachEntitlement(api, live, { target: { productOfferingId }, licenseKey });
  api.setNow('2026-01-01T00:00:00.000Z');
  const license = await newLicense(api, live, { productOfferingId });
  const { grants } = await api.data({ token: live, query: '{ grants { nodes { id } } }' });
  api.setNow('2026-01-31T12:00:00.000Z');
  const { grant } = await call(live, {
    grantId: grants.nodes[0].id,
    key: 'K',
    activationsLimit: null,
    expiresAt: null,
  });
  api.setNow(null);
  expect(grant).toMatchObject({
    license: { id: license },
    subscriptionId: license,
    paymentId: null,
    licenseKey: { activationsLimit: 3, expiresAt: '2026-02-28T12:00:00.000Z', licenses: [{ id: license }] },
    deliveries: [{ recipient: null, status: 'FAILED', failure: 'NO_ADDRESS' }],
  });
});

test('an entitlement without limits gives a key without limits', async () => {
  const { live } = await newBusiness(api);
  const { grant } = await call(live, { grantId: await newPendingGrant(api, live), key: 'unlimited' });
  expect(grant.licenseKey).toMatchObject({ activationsLimit: null, expiresAt: null });
});

test('wrong fields are all named at once, and change nothing', async () => {
  const { live } = await newBusiness(api);
  const grantId = await newPendingGrant(api, live);
  const before = await rowsOf(api);
  api.setNow('2026-03-01T10:00:00.000Z');
  const wrong = { grantId, key: ' - ', activationsLimit: 0, expiresAt: '2026-03-01T10:00:00.000Z' };
  expect(await refusals(live, wrong)).toEqual([
    ['KEY_BLANK', 'input.key'],
    ['INVALID_ACTIVATIONS_LIMIT', 'input.activationsLimit'],
    ['INVALID_EXPIRY', 'input.expiresAt'],
  ]);
  api.setNow(null);
  expect(await refusals(live, { grantId, key: '' })).toEqual([['KEY_BLANK', 'input.key']]);
  expect(await refusals(live, { grantId, key: 'x'.repeat(513) })).toEqual([['INVALID_INPUT', 'input.key']]);
  expect(await refusals(live, { grantId, key: 'k', activationsLimit: -2147483648 })).toEqual([
    ['INVALID_ACTIVATIONS_LIMIT', 'input.activationsLimit'],
  ]);
  expect(await refusals(live, { grantId, key: 'k', idempotencyKey: 'i'.repeat(257) })).toEqual([
    ['INVALID_INPUT', 'input.idempotencyKey'],
  ]);
  for (const change of [{ key: 'a\u0000b' }, { expiresAt: 'tomorrow' }, { activationsLimit: 1.5 }, { key: null }]) {
    const input = { grantId, key: 'k', ...change };
    const answer = await api.call({ token: live, query: fulfill, variables: { input } });
    expect(answer.errors?.map(({ extensions }) => extensions.code)).toEqual(['BAD_USER_INPUT']);
    expect(JSON.stringify(answer.errors)).toContain(Object.keys(change)[0]);
  }
  expect(await rowsOf(api)).toBe(before);
});

test('only a manual grant that waits without a key can be fulfilled', async () => {
  const { live, test: testToken } = await newBusiness(api);
  const theirs = await newBusiness(api);
  const auto = await newGrant(api, live);
  const delivered = await newPendingGrant(api, live);
  await call(live, { grantId: delivered, key: 'first' });
  const revoked = await newPendingGrant(api, live);
  const revoke = `mutation ($input: RevokeGrantInput!) { revokeGrant(input: $input) { userErrors { message } } }`;
  await api.data({ token: live, query: revoke, variables: { input: { grantId: revoked } } });
  const failed = await newPendingGrant(api, live);
  await api.db.sql(null, `UPDATE grants SET status = 'FAILED', error_code = 'x' WHERE id = $1`, [rowId(failed)]);
  const keyed = await newPendingGrant(api, live);
  await attachKeyOf(auto, keyed);
  const cases: [string, string][] = [
    ['nonsense', 'GRANT_NOT_FOUND'],
    [await newCustomer(api, live), 'GRANT_NOT_FOUND'],
    [await newPendingGrant(api, theirs.live), 'GRANT_NOT_FOUND'],
    [await newPendingGrant(api, theirs.test), 'GRANT_NOT_FOUND'],
    [await newPendingGrant(api, testToken, { entitlementId: await manualEntitlement(live) }), 'MODE_MISMATCH'],
    [await newGrant(api, live), 'NOT_MANUAL_FULFILLMENT'],
    [delivered, 'GRANT_NOT_PENDING'],
    [revoked, 'GRANT_NOT_PENDING'],
    [failed, 'GRANT_NOT_PENDING'],
    [keyed, 'GRANT_HAS_KEY'],
  ];
  const before = await rowsOf(api);
  for (const [grantId, code] of cases) {
    expect([grantId, await refusals(live, { grantId, key: 'another' })]).toEqual([grantId, [[code, 'input.grantId']]]);
  }
  const statuses = [];
  for (const grantId of [delivered, revoked, failed]) {
    statuses.push((await call(live, { grantId, key: 'another' })).userErrors[0].status);
  }
  expect(statuses).toEqual(['DELIVERED', 'REVOKED', 'FAILED']);
  expect(await rowsOf(api)).toBe(before);
});

test('a key that the business has, in any spelling, is refused and leaves the grant waiting', async () => {
  const { live } = await newBusiness(api);
  await call(live, { grantId: await newPendingGrant(api, live), key: 'Straße-2026 A' });
  const grantId = await newPendingGrant(api, live);
  const before = await rowsOf(api);
  for (const key of ['Straße-2026 A', 'STRASSE2026A', ' s t r a s s e – 2026 – a ', 'ＳＴＲＡＳＳＥ２０２６Ａ']) {
    expect([key, await refusals(live, { grantId, key })]).toEqual([key, [['LICENSE_KEY_TAKEN', 'input.key']]]);
  }
  expect(await rowsOf(api)).toBe(before);
  expect((await call(live, { grantId, key: 'Straße-2026 B' })).userErrors).toEqual([]);
});

test('two grants at once with spellings of one key: one wins, the others wait on', async () => {
  const { live } = await newBusiness(api);
  for (let round = 0; round < 5; round++) {
    const spellings = [`race-${round}-key`, `RACE ${round} KEY`, `r-a-c-e${round}Key `, `Race${round}key`];
    const grants = await Promise.all(spellings.map(() => newPendingGrant(api, live)));
    const answers = await Promise.all(grants.map((grantId, i) => call(live, { grantId, key: spellings[i] })));
    const codes = answers.map(({ grant, userErrors }) => (grant ? 'won' : userErrors[0].code));
    expect(codes.sort()).toEqual([...Array<string>(3).fill('LICENSE_KEY_TAKEN'), 'won']);
  }
  const { grants } = await api.data({
    token: live,
    query: '{ grants(first: 100, where: { status: { in: [DELIVERED] } }) { totalCount } }',
  });
  expect(grants.totalCount).toBe(5);
});

test('twenty agents on one grant: one key, one mail, one event', async () => {
  const { live } = await newBusiness(api);
  const grantId = await newPendingGrant(api, live, {
    customerId: await newCustomer(api, live, { email: 'erika@example.com' }),
  });
  const answers = await Promise.all(
    Array.from({ length: 20 }, (_, i) => call(live, { grantId, key: `agent-${i}` }, { 'x-actor': `agent ${i}` })),
  );
  const codes = answers.map(({ grant, userErrors }) => (grant ? 'won' : userErrors[0].code));
  expect(codes.sort()).toEqual([...Array<string>(19).fill('GRANT_NOT_PENDING'), 'won']);
  const winner = answers.find(({ grant }) => grant).grant;
  const [counts] = await api.db.sql(
    null,
    `SELECT (SELECT count(*)::int FROM license_keys k WHERE k.business_id = g.business_id) AS keys,
      (SELECT count(*)::int FROM deliveries d WHERE d.business_id = g.business_id) AS mails FROM grants g WHERE id = $1`,
    [rowId(grantId)],
  );
  expect(counts).toEqual({ keys: 1, mails: 1 });
  const changes = await changesOf(api, grantId);
  expect(changes.map(({ type }) => type)).toEqual(['entitlement_grant.created', 'entitlement_grant.delivered']);
  expect(changes[1]?.snapshot.licenseKeyId).toBe(rowId(winner.licenseKey.id));
  expect(changes[1]?.actor_name).toBe(`agent ${winner.licenseKey.key.slice(6)}`);
});

test('a retry whose first answer was lost gets it again: one key, one mail', async () => {
  const { live } = await newBusiness(api);
  const input = { grantId: await newPendingGrant(api, live), key: 'once', idempotencyKey: 'fulfil-1' };
  const answers = await Promise.all(Array.from({ length: 10 }, () => call(live, input)));
  for (const { grant, userErrors } of answers) {
    expect([grant.licenseKey.key, grant.deliveries.length, userErrors]).toEqual(['once', 1, []]);
  }
  const changed = await api.call({ token: live, query: fulfill, variables: { input: { ...input, key: 'twice' } } });
  expect(changed.errors?.map(({ extensions }) => extensions.code)).toEqual(['IDEMPOTENCY_CONFLICT']);
});

test('fulfilling against revoking: one serial outcome, told by the history', async () => {
  const { live } = await newBusiness(api);
  const revoke = `mutation ($input: RevokeGrantInput!) { revokeGrant(input: $input) {
    grant { status licenseKey { status } } userErrors { code } } }`;
  const seen = new Set<string>();
  for (let round = 0; round < 12; round++) {
    const grantId = await newPendingGrant(api, live);
    const work = [
      () => call(live, { grantId, key: `round-${round}` }),
      () => api.data({ token: live, query: revoke, variables: { input: { grantId } } }),
    ];
    if (round % 2) work.reverse();
    const answers = await Promise.all(work.map((run) => run()));
    const fulfilled = answers.find((answer) => !answer.revokeGrant);
    const types = (await changesOf(api, grantId)).map(({ type }) => type.replace('entitlement_grant.', ''));
    const query = 'query ($id: ID!) { grant(id: $id) { status licenseKey { status } deliveries { id } } }';
    const { grant } = await api.data({ token: live, query, variables: { id: grantId } });
    if (fulfilled.grant) {
      expect(types).toEqual(['created', 'delivered', 'revoked']);
      expect(grant).toEqual({ status: 'REVOKED', licenseKey: { status: 'DISABLED' }, deliveries: [expect.anything()] });
    } else {
      expect(fulfilled.userErrors).toEqual([expect.objectContaining({ code: 'GRANT_NOT_PENDING', status: 'REVOKED' })]);
      expect(types).toEqual(['created', 'revoked']);
      expect(grant).toEqual({ status: 'REVOKED', licenseKey: null, deliveries: [] });
    }
    seen.add(types.join());
  }
  expect(seen.size).toBeGreaterThan(0);
});

test('what another agent has claimed is theirs for 15 minutes; who claimed it may fulfil it', async () => {
  const { live } = await newBusiness(api);
  api.setNow('2026-03-01T10:00:00.000Z');
  const [one, two] = [await newPendingGrant(api, live), await newPendingGrant(api, live)];
  for (const grantId of [one, two]) {
    await api.data({ token: live, query: claim, variables: { input: { grantId } }, headers: { 'x-actor': 'Ann' } });
  }
  const before = await rowsOf(api);
  api.setNow('2026-03-01T10:14:59.999Z');
  for (const headers of [{ 'x-actor': 'Bob' }, {}]) {
    const { userErrors } = await call(live, { grantId: one, key: 'k1' }, headers as Record<string, string>);
    expect(userErrors).toEqual([
      expect.objectContaining({
        __typename: 'GrantClaimed',
        code: 'GRANT_CLAIMED',
        path: ['input', 'grantId'],
        claimedBy: 'Ann',
        claimedUntil: '2026-03-01T10:15:00.000Z',
      }),
    ]);
  }
  expect(await rowsOf(api)).toBe(before);
  const { grant } = await call(live, { grantId: one, key: 'k1' }, { 'x-actor': 'Ann' });
  expect([grant.status, grant.claimedBy, grant.claimedUntil]).toEqual(['DELIVERED', null, null]);
  api.setNow('2026-03-01T10:15:00.000Z');
  expect((await call(live, { grantId: two, key: 'k2' }, { 'x-actor': 'Bob' })).grant.status).toBe('DELIVERED');
  api.setNow(null);
});

test('another brand, a key without the scope, a session and nobody are turned away', async () => {
  const { live } = await newBusiness(api);
  const customerId = await newCustomer(api, live);
  const grantId = await newPendingGrant(api, live, { customerId });
  const url = `${rowId(grantId)}.example.com`;
  const createBrand = `mutation ($url: String!) { createBrand(input: { name: "Second", url: $url }) { userErrors { message } } }`;
  await api.data({ token: live, query: createBrand, variables: { url } });
  const narrow = await newApiKey(api, live, ['GRANTS_WRITE', 'GRANTS_READ']);
  const session = await newSession(api, live, customerId);
  const before = await rowsOf(api);
  expect(await refusals(live, { grantId, key: 'k' }, { 'brand-url': url })).toEqual([
    ['BRAND_MISMATCH', 'input.grantId'],
  ]);
  for (const [token, code] of [
    [narrow, 'FORBIDDEN'],
    [session, 'FORBIDDEN'],
    [null, 'UNAUTHENTICATED'],
  ] as const) {
    const answer = await api.call({ token, query: fulfill, variables: { input: { grantId, key: 'k' } } });
    expect(answer.errors?.map(({ extensions }) => extensions.code)).toEqual([code]);
  }
  expect(await rowsOf(api)).toBe(before);
});

/** Makes a pending grant that has a key already, which no path of the API leaves behind. */
async function attachKeyOf(from: string, to: string): Promise<void> {
  const [row] = await api.db.sql<{ key: string }>(null, 'SELECT license_key_id AS key FROM grants WHERE id = $1', [
    rowId(from),
  ]);
  const text = `UPDATE grants SET status = 'PENDING', delivered_at = NULL, license_key_id = $2 WHERE id = $1`;
  await api.db.sql(null, text, [rowId(from), null]);
  await api.db.sql(null, text, [rowId(to), row?.key]);
}

async function manualEntitlement(token: string): Promise<string> {
  const query = `mutation { createEntitlement(input: { name: "Manual", configuration: { licenseKey: { fulfillmentMode: MANUAL } } }) {
    entitlement { id } userErrors { message } } }`;
  return (await api.data({ token, query })).createEntitlement.entitlement.id;
}
