import { expect, test } from '@jest/globals';
import { useApi } from '../support/api.js';
import { newApiKey, newBusiness, newCustomer, newSession } from '../support/business.js';
import { newEntitlement } from '../support/catalog.js';
import { changesOf, newGrant, newPendingGrant, rowId, rowsOf } from '../support/licenses.js';

const api = useApi();

const claim = `mutation ($input: ClaimGrantInput!) { claimGrant(input: $input) {
  grant { id status claimedBy claimedUntil version updatedAt }
  userErrors { __typename code path ... on GrantClaimed { claimedBy claimedUntil } ... on GrantNotPending { status } } } }`;

async function call(token: string, grantId: string, actor: string | null, more: object = {}) {
  const headers: Record<string, string> = actor === null ? {} : { 'x-actor': actor };
  const answer = await api.call({ token, query: claim, variables: { input: { grantId, ...more } }, headers });
  expect(answer.errors).toBeUndefined();
  return answer.data.claimGrant;
}

test('an agent claims a grant for 15 minutes, and again', async () => {
  const { live } = await newBusiness(api);
  api.setNow('2026-03-01T10:00:00.000Z');
  const grantId = await newPendingGrant(api, live);
  api.setNow('2026-03-01T10:01:00.000Z');
  expect(await call(live, grantId, 'Ann')).toEqual({
    grant: {
      id: grantId,
      status: 'PENDING',
      claimedBy: 'Ann',
      claimedUntil: '2026-03-01T10:16:00.000Z',
      version: 2,
      updatedAt: '2026-03-01T10:01:00.000Z',
    },
    userErrors: [],
  });
  api.setNow(null);
});

test('claiming again begins the 15 minutes anew; a claim whose time is over may be taken', async () => {
  const { live } = await newBusiness(api);
  api.setNow('2026-03-01T10:00:00.000Z');
  const grantId = await newPendingGrant(api, live);
  await call(live, grantId, 'Ann');
  api.setNow('2026-03-01T10:10:00.000Z');
  expect((await call(live, grantId, 'Ann')).grant.claimedUntil).toBe('2026-03-01T10:25:00.000Z');
  api.setNow('2026-03-01T10:24:59.999Z');
  const before = await rowsOf(api);
  expect(await call(live, grantId, 'Bob')).toEqual({
    grant: null,
    userErrors: [
      {
        __typename: 'GrantClaimed',
        code: 'GRANT_CLAIMED',
        path: ['input', 'grantId'],
        claimedBy: 'Ann',
        claimedUntil: '2026-03-01T10:25:00.000Z',
      },
    ],
  });
  expect(await rowsOf(api)).toBe(before);
  api.setNow('2026-03-01T10:25:00.000Z');
  const query = 'query ($id: ID!) { grant(id: $id) { claimedBy claimedUntil } }';
  expect(await api.data({ token: live, query, variables: { id: grantId } })).toEqual({
    grant: { claimedBy: null, claimedUntil: null },
  });
  expect((await call(live, grantId, 'Bob')).grant).toMatchObject({
    claimedBy: 'Bob',
    claimedUntil: '2026-03-01T10:40:00.000Z',
  });
  api.setNow(null);
  const changes = await changesOf(api, grantId);
  expect(changes.map(({ type, sequence, actor_name }) => [type, sequence, actor_name])).toEqual([
    ['entitlement_grant.created', 1, null],
    ['entitlement_grant.claimed', 2, 'Ann'],
    ['entitlement_grant.claimed', 3, 'Ann'],
    ['entitlement_grant.claimed', 4, 'Bob'],
  ]);
  expect(changes[3]).toMatchObject({ before: { claimedBy: 'Ann' }, after: { claimedBy: 'Bob' } });
});

test('twenty agents at once: one has the claim, the others are told whose it is', async () => {
  const { live } = await newBusiness(api);
  // Several rounds: in the first one connections are still being made, so that the calls come one after the other.
  for (let round = 0; round < 3; round++) {
    const grantId = await newPendingGrant(api, live);
    const answers = await Promise.all(Array.from({ length: 20 }, (_, i) => call(live, grantId, `agent ${i}`)));
    const winners = answers.filter(({ grant }) => grant);
    expect(winners).toHaveLength(1);
    const { claimedBy } = winners[0].grant;
    for (const { grant, userErrors } of answers) {
      if (!grant) expect(userErrors).toEqual([expect.objectContaining({ code: 'GRANT_CLAIMED', claimedBy })]);
    }
    expect((await changesOf(api, grantId)).map(({ type }) => type)).toEqual([
      'entitlement_grant.created',
      'entitlement_grant.claimed',
    ]);
  }
});

test('who is not named, and what does not wait for a key, is refused and changes nothing', async () => {
  const { live, test: testToken } = await newBusiness(api);
  const theirs = await newBusiness(api);
  const manual = await newEntitlement(api, live, { licenseKey: { fulfillmentMode: 'MANUAL' } });
  const grantId = await newPendingGrant(api, live);
  const failed = await newPendingGrant(api, live);
  await api.db.sql(null, `UPDATE grants SET status = 'FAILED', error_code = 'x' WHERE id = $1`, [rowId(failed)]);
  const cases: [string, string | null, object, string, string][] = [
    [grantId, null, {}, 'ACTOR_REQUIRED', 'input'],
    [grantId, '  ', {}, 'ACTOR_REQUIRED', 'input'],
    ['nonsense', 'Ann', {}, 'GRANT_NOT_FOUND', 'input.grantId'],
    [await newPendingGrant(api, theirs.live), 'Ann', {}, 'GRANT_NOT_FOUND', 'input.grantId'],
    [await newPendingGrant(api, testToken, { entitlementId: manual }), 'Ann', {}, 'MODE_MISMATCH', 'input.grantId'],
    [await newGrant(api, live), 'Ann', {}, 'NOT_MANUAL_FULFILLMENT', 'input.grantId'],
    [failed, 'Ann', {}, 'GRANT_NOT_PENDING', 'input.grantId'],
    [grantId, 'Ann', { idempotencyKey: '' }, 'INVALID_INPUT', 'input.idempotencyKey'],
  ];
  const before = await rowsOf(api);
  for (const [id, actor, more, code, path] of cases) {
    const { grant, userErrors } = await call(live, id, actor, more);
    expect([grant, userErrors[0].code, userErrors[0].path.join('.')]).toEqual([null, code, path]);
  }
  expect(await rowsOf(api)).toBe(before);
});

test('a key without the scope, a session and nobody may not claim', async () => {
  const { live } = await newBusiness(api);
  const customerId = await newCustomer(api, live);
  const grantId = await newPendingGrant(api, live, { customerId });
  const narrow = await newApiKey(api, live, ['GRANTS_WRITE', 'GRANTS_READ']);
  const session = await newSession(api, live, customerId);
  for (const [token, code] of [
    [narrow, 'FORBIDDEN'],
    [session, 'FORBIDDEN'],
    [null, 'UNAUTHENTICATED'],
  ] as const) {
    const headers = { 'x-actor': 'Ann' };
    const answer = await api.call({ token, query: claim, variables: { input: { grantId } }, headers });
    expect(answer.errors?.map(({ extensions }) => extensions.code)).toEqual([code]);
  }
  expect(await changesOf(api, grantId)).toHaveLength(1);
});
