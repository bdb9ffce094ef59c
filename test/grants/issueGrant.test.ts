import { expect, test } from '@jest/globals';
import { useApi } from '../support/api.js';
import { newApiKey, newBusiness, newCustomer, newSession } from '../support/business.js';
import { newEntitlement } from '../support/catalog.js';
import { changesOf, newKeyedOffering, newLicense, rowId, rowsOf } from '../support/licenses.js';

const api = useApi();

const issue = `mutation ($input: IssueGrantInput!) { issueGrant(input: $input) {
  grant {
    id customerId entitlementId status fulfillmentMode deliveredAt dueAt paymentId subscriptionId license { id } order { id }
    licenseKey { source activationsLimit expiresAt licenses { id } } deliveries { status recipient } metadata testMode version
    history { nodes { type } }
  }
  userErrors { code path } } }`;

async function call(token: string, input: object, headers: Record<string, string> = {}) {
  const answer = await api.call({ token, query: issue, variables: { input }, headers });
  expect(answer.errors).toBeUndefined();
  return answer.data.issueGrant;
}

test('a grant in AUTO mode is delivered at once with a key of its own, and tells created and delivered', async () => {
  const { test: token } = await newBusiness(api);
  const entitlementId = await newEntitlement(api, token, {
    licenseKey: { activationsLimit: 4, duration: { count: 2, unit: 'WEEK' } },
  });
  const customerId = await newCustomer(api, token, { email: 'erika@example.com' });
  api.setNow('2026-03-01T10:00:00.000Z');
  const input = { entitlementId, customerId, paymentId: ' pay_1 ', subscriptionId: 'sub_1', metadata: { a: 1 } };
  const { grant, userErrors } = await call(token, input);
  api.setNow(null);
  expect(userErrors).toEqual([]);
  expect(grant).toEqual({
    id: expect.stringMatching(/^grant_/),
    customerId,
    entitlementId,
    status: 'DELIVERED',
    fulfillmentMode: 'AUTO',
    deliveredAt: '2026-03-01T10:00:00.000Z',
    dueAt: null,
    paymentId: 'pay_1',
    subscriptionId: 'sub_1',
    license: null,
    order: null,
    licenseKey: { source: 'AUTO', activationsLimit: 4, expiresAt: '2026-03-15T10:00:00.000Z', licenses: [] },
    deliveries: [{ status: 'QUEUED', recipient: 'erika@example.com' }],
    metadata: { a: 1 },
    testMode: true,
    version: 2,
    history: { nodes: [{ type: 'entitlement_grant.delivered' }, { type: 'entitlement_grant.created' }] },
  });
});

test('a grant in MANUAL mode waits, keeps that mode when the entitlement changes, and belongs to its license', async () => {
  const { live } = await newBusiness(api);
  const customerId = await newCustomer(api, live);
  const licenseId = await newLicense(api, live, { customerId });
  api.setNow('2026-03-01T10:00:00.000Z');
  const entitlementId = await newEntitlement(api, live, { licenseKey: { fulfillmentMode: 'MANUAL' } });
  const { grant } = await call(live, { entitlementId, customerId, licenseId });
  api.setNow(null);
  expect(grant).toMatchObject({
    status: 'PENDING',
    fulfillmentMode: 'MANUAL',
    deliveredAt: null,
    dueAt: '2026-03-02T10:00:00.000Z',
    license: { id: licenseId },
    subscriptionId: licenseId,
    licenseKey: null,
    deliveries: [],
    version: 1,
  });
  await api.db.sql(
    null,
    `UPDATE entitlements SET fulfillment_mode = 'AUTO', fulfill_within_hours = NULL, archived_at = now() WHERE id = $1`,
    [rowId(entitlementId)],
  );
  const query = 'query ($id: ID!) { grant(id: $id) { status fulfillmentMode } }';
  expect(await api.data({ token: live, query, variables: { id: grant.id } })).toEqual({
    grant: { status: 'PENDING', fulfillmentMode: 'MANUAL' },
  });
});

test('one license has one grant of an entitlement, also when twenty ask at once; without a license there may be many', async () => {
  const { live } = await newBusiness(api);
  const customerId = await newCustomer(api, live);
  const licenseId = await newLicense(api, live, { customerId });
  const entitlementId = await newEntitlement(api, live);
  const answers = await Promise.all(
    Array.from({ length: 20 }, () => call(live, { entitlementId, customerId, licenseId })),
  );
  const codes = answers.map(({ grant, userErrors }) => (grant ? 'issued' : userErrors[0].code));
  expect(codes.sort()).toEqual([...Array<string>(19).fill('GRANT_EXISTS'), 'issued']);
  const [keys] = await api.db.sql(
    null,
    'SELECT count(*)::int AS count FROM license_key_bindings WHERE license_id = $1',
    [rowId(licenseId)],
  );
  expect(keys).toEqual({ count: 1 });
  for (let i = 0; i < 2; i++) expect((await call(live, { entitlementId, customerId })).userErrors).toEqual([]);
  const granting = await newLicense(api, live, { customerId, productOfferingId: await newKeyedOffering(api, live) });
  const { grants } = await api.data({
    token: live,
    query: 'query ($in: [ID!]!) { grants(where: { licenseId: { in: $in } }) { nodes { entitlementId } } }',
    variables: { in: [granting] },
  });
  const again = { entitlementId: grants.nodes[0].entitlementId, customerId, licenseId: granting };
  expect((await call(live, again)).userErrors).toEqual([{ code: 'GRANT_EXISTS', path: ['input', 'entitlementId'] }]);
});

test('what does not fit is refused and changes nothing', async () => {
  const { live, test: testToken } = await newBusiness(api);
  const theirs = await newBusiness(api);
  const entitlementId = await newEntitlement(api, live);
  const customerId = await newCustomer(api, live);
  const good = { entitlementId, customerId };
  const archived = await newEntitlement(api, live);
  await api.db.sql(null, 'UPDATE entitlements SET archived_at = now() WHERE id = $1', [rowId(archived)]);
  const testOffering = await newKeyedOffering(api, live);
  const cases: [object, string, string][] = [
    [{ entitlementId: 'nonsense' }, 'ENTITLEMENT_NOT_FOUND', 'input.entitlementId'],
    [{ entitlementId: await newEntitlement(api, theirs.live) }, 'ENTITLEMENT_NOT_FOUND', 'input.entitlementId'],
    [{ entitlementId: archived }, 'ENTITLEMENT_ARCHIVED', 'input.entitlementId'],
    [{ customerId: 'nonsense' }, 'CUSTOMER_NOT_FOUND', 'input.customerId'],
    [{ customerId: await newCustomer(api, theirs.live) }, 'CUSTOMER_NOT_FOUND', 'input.customerId'],
    [{ customerId: await newCustomer(api, testToken) }, 'MODE_MISMATCH', 'input.customerId'],
    [{ licenseId: 'nonsense' }, 'LICENSE_NOT_FOUND', 'input.licenseId'],
    [{ licenseId: await newLicense(api, theirs.live) }, 'LICENSE_NOT_FOUND', 'input.licenseId'],
    [
      { licenseId: await newLicense(api, testToken, { productOfferingId: testOffering }) },
      'MODE_MISMATCH',
      'input.licenseId',
    ],
    [{ licenseId: await newLicense(api, live) }, 'INVALID_INPUT', 'input.licenseId'],
    [{ paymentId: 'p'.repeat(256) }, 'INVALID_INPUT', 'input.paymentId'],
    [{ subscriptionId: 's'.repeat(256) }, 'INVALID_INPUT', 'input.subscriptionId'],
    [{ licenseId: 'any', subscriptionId: 'sub_1' }, 'INVALID_INPUT', 'input.subscriptionId'],
    [{ metadata: { k: 'v'.repeat(501) } }, 'INVALID_INPUT', 'input.metadata.k'],
    [{ idempotencyKey: 'i'.repeat(257) }, 'INVALID_INPUT', 'input.idempotencyKey'],
  ];
  const url = `${rowId(customerId)}.example.com`;
  const createBrand = `mutation ($url: String!) { createBrand(input: { name: "Second", url: $url }) { userErrors { message } } }`;
  await api.data({ token: live, query: createBrand, variables: { url } });
  const before = await rowsOf(api);
  for (const [change, code, path] of cases) {
    const { grant, userErrors } = await call(live, { ...good, ...change });
    expect([change, grant, userErrors]).toEqual([change, null, [{ code, path: path.split('.') }]]);
  }
  expect((await call(live, good, { 'brand-url': url })).userErrors).toEqual([
    { code: 'BRAND_MISMATCH', path: ['input', 'customerId'] },
  ]);
  expect(await rowsOf(api)).toBe(before);
});

test('a key without the scope, a session and nobody may not issue grants', async () => {
  const { live } = await newBusiness(api);
  const customerId = await newCustomer(api, live);
  const input = { entitlementId: await newEntitlement(api, live), customerId };
  const narrow = await newApiKey(api, live, ['GRANTS_FULFILL', 'GRANTS_READ']);
  const session = await newSession(api, live, customerId);
  for (const [token, code] of [
    [narrow, 'FORBIDDEN'],
    [session, 'FORBIDDEN'],
    [null, 'UNAUTHENTICATED'],
  ] as const) {
    const answer = await api.call({ token, query: issue, variables: { input } });
    expect(answer.errors?.map(({ extensions }) => extensions.code)).toEqual([code]);
  }
  const { grants } = await api.data({ token: live, query: '{ grants { totalCount } }' });
  expect(grants.totalCount).toBe(0);
});

test('a repeated call with one idempotency key issues one grant', async () => {
  const { live } = await newBusiness(api);
  const input = {
    entitlementId: await newEntitlement(api, live),
    customerId: await newCustomer(api, live),
    idempotencyKey: 'issue-1',
  };
  const [one, two] = [await call(live, input), await call(live, input)];
  expect(two.grant.id).toBe(one.grant.id);
  expect((await changesOf(api, one.grant.id)).length).toBe(2);
});
