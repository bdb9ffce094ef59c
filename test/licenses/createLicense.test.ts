import { randomUUID } from 'node:crypto';
import { expect, test } from '@jest/globals';
import { useApi } from '../support/api.js';
import { newApiKey, newBusiness, newCustomer, newSession } from '../support/business.js';
import { attachEntitlement, newProductOffering } from '../support/catalog.js';
import { changesOf, newKeyedOffering, newLicense, rowId, rowsOf } from '../support/licenses.js';

const api = useApi();

const create = `mutation ($input: CreateLicenseInput!) {
  createLicense(input: $input) {
    license {
      id number status type customer { id name } productOffering { id } package { id } subscriptionType { id } order { id }
      licenseKeys { id } grants { id } validFrom validUntil validity isActive isPermanent activatedAt pausedAt cancelledAt
      assignedTo { type id displayName details } details pendingStatus { status scheduledAt } amount { amount }
      description tags testMode metadata version createdAt updatedAt history { nodes { type } }
    }
    userErrors { __typename message path code ... on LicenseTypeMismatch { expected } }
  }
}`;

/** What a call is refused with: code and path of each error. */
async function refusals(token: string, input: object, headers: Record<string, string> = {}) {
  const answer = await api.call({ token, query: create, variables: { input }, headers });
  expect(answer.errors).toBeUndefined();
  const { license, userErrors } = answer.data.createLicense;
  expect(license).toBeNull();
  return userErrors.map(({ code, path }: { code: string; path: string[] }) => [code, path.join('.')]);
}

test('createLicense gives back every field, and what the offering grants', async () => {
  const { live } = await newBusiness(api);
  const customerId = await newCustomer(api, live);
  const productOfferingId = await newKeyedOffering(api, live);
  api.setNow('2026-03-01T10:00:00.000Z');
  const input = {
    productOfferingId,
    customerId,
    type: 'standard',
    assignedTo: { type: 'SUBSCRIPTION', id: 'sub-7', displayName: '+46 70 123', details: { sim: 1 } },
    details: { line: 'blue' },
    metadata: { note: 'first', seats: 3, paid: true },
    testMode: false,
  };
  const { createLicense } = await api.data({ token: live, query: create, variables: { input } });
  api.setNow(null);
  expect(createLicense).toEqual({
    license: {
      id: expect.stringMatching(/^lic_[0-9a-hjkmnp-tv-z]{26}$/),
      number: expect.stringMatching(/^L\d{9}$/),
      status: 'ACTIVE',
      type: 'standard',
      customer: { id: customerId, name: 'Erika Mustermann' },
      productOffering: { id: productOfferingId },
      package: null,
      subscriptionType: null,
      order: null,
      licenseKeys: [{ id: expect.stringMatching(/^lkey_/) }],
      grants: [{ id: expect.stringMatching(/^grant_/) }],
      validFrom: '2026-03-01T10:00:00.000Z',
      validUntil: null,
      validity: 'CURRENT',
      isActive: true,
      isPermanent: true,
      activatedAt: '2026-03-01T10:00:00.000Z',
      pausedAt: null,
      cancelledAt: null,
      assignedTo: { type: 'SUBSCRIPTION', id: 'sub-7', displayName: '+46 70 123', details: { sim: 1 } },
      details: { line: 'blue' },
      pendingStatus: null,
      amount: null,
      description: null,
      tags: [],
      testMode: false,
      metadata: { note: 'first', seats: 3, paid: true },
      version: 1,
      createdAt: '2026-03-01T10:00:00.000Z',
      updatedAt: '2026-03-01T10:00:00.000Z',
      history: { nodes: [{ type: 'license.created' }] },
    },
    userErrors: [],
  });
});

test('the day of activation decides what a license starts as', async () => {
  const { live } = await newBusiness(api);
  const productOfferingId = await newProductOffering(api, live);
  const customerId = await newCustomer(api, live);
  const seen: Record<string, unknown> = {};
  for (const activationDate of ['2026-02-01', '2026-03-01', '2026-03-02', null]) {
    api.setNow('2026-03-01T10:00:00.000Z');
    const variables = { input: { productOfferingId, customerId, activationDate } };
    const { createLicense } = await api.data({ token: live, query: create, variables });
    const { status, validFrom, validity, activatedAt, pendingStatus, isActive } = createLicense.license;
    seen[String(activationDate)] = { status, validFrom, validity, activatedAt, pendingStatus, isActive };
  }
  api.setNow(null);
  const at = '2026-03-01T10:00:00.000Z';
  const started = { status: 'ACTIVE', validity: 'CURRENT', activatedAt: at, pendingStatus: null, isActive: true };
  expect(seen).toEqual({
    '2026-02-01': { ...started, validFrom: '2026-02-01T00:00:00.000Z' },
    '2026-03-01': { ...started, validFrom: '2026-03-01T00:00:00.000Z' },
    '2026-03-02': {
      status: 'PENDING',
      validFrom: '2026-03-02T00:00:00.000Z',
      validity: 'NOT_STARTED',
      activatedAt: null,
      pendingStatus: { status: 'ACTIVE', scheduledAt: '2026-03-02T00:00:00.000Z' },
      isActive: false,
    },
    null: { ...started, validFrom: at },
  });
});

test('an AUTO entitlement delivers a key with the license, a MANUAL one waits, and each entitlement gives one grant', async () => {
  const { live } = await newBusiness(api);
  const customerId = await newCustomer(api, live, { email: 'erika@example.com' });
  const productOfferingId = await newProductOffering(api, live);
  const target = { productOfferingId };
  const licenseKey = { activationsLimit: 2, duration: { count: 1, unit: 'MONTH' } };
  api.setNow('2026-01-31T10:00:00.000Z');
  const auto = await attachEntitlement(api, live, { target, licenseKey });
  const manual = await attachEntitlement(api, live, {
    target,
    licenseKey: { fulfillmentMode: 'MANUAL', fulfillWithinHours: 2 },
  });
  const id = await newLicense(api, live, { productOfferingId, customerId });
  const query = `query ($id: ID!) { license(id: $id) {
    licenseKeys { key source status activationsUsed activationsLimit expiresAt customer { id } licenses { id } }
    grants { entitlement { id } status fulfillmentMode deliveredAt dueAt version subscriptionId license { id }
      licenseKey { id } deliveries { status template recipient } } } }`;
  const { license } = await api.data({ token: live, query, variables: { id } });
  api.setNow(null);
  expect(license.licenseKeys).toEqual([
    {
      key: expect.stringMatching(/^([2-9A-HJ-NP-Z]{5}-){4}[2-9A-HJ-NP-Z]{5}$/),
      source: 'AUTO',
      status: 'ACTIVE',
      activationsUsed: 0,
      activationsLimit: 2,
      expiresAt: '2026-02-28T10:00:00.000Z',
      customer: { id: customerId },
      licenses: [{ id }],
    },
  ]);
  const common = { subscriptionId: id, license: { id } };
  expect(license.grants).toHaveLength(2);
  expect(license.grants).toEqual(
    expect.arrayContaining([
      {
        ...common,
        entitlement: { id: auto },
        status: 'DELIVERED',
        fulfillmentMode: 'AUTO',
        deliveredAt: '2026-01-31T10:00:00.000Z',
        dueAt: null,
        version: 2,
        licenseKey: { id: expect.stringMatching(/^lkey_/) },
        deliveries: [{ status: 'QUEUED', template: 'license-key', recipient: 'erika@example.com' }],
      },
      {
        ...common,
        entitlement: { id: manual },
        status: 'PENDING',
        fulfillmentMode: 'MANUAL',
        deliveredAt: null,
        dueAt: '2026-01-31T12:00:00.000Z',
        version: 1,
        licenseKey: null,
        deliveries: [],
      },
    ]),
  );
});

test('without a license-key entitlement a direct license has no key; a pending license has its grants at once', async () => {
  const { live } = await newBusiness(api);
  const bare = await newLicense(api, live);
  const pending = await newLicense(api, live, {
    productOfferingId: await newKeyedOffering(api, live),
    activationDate: '2999-01-01',
  });
  const query = `query ($bare: ID!, $pending: ID!) {
    bare: license(id: $bare) { licenseKeys { id } grants { id } }
    pending: license(id: $pending) { status licenseKeys { status } grants { status deliveries { status failure } } } }`;
  expect(await api.data({ token: live, query, variables: { bare, pending } })).toEqual({
    bare: { licenseKeys: [], grants: [] },
    pending: {
      status: 'PENDING',
      licenseKeys: [{ status: 'ACTIVE' }],
      grants: [{ status: 'DELIVERED', deliveries: [{ status: 'FAILED', failure: 'NO_ADDRESS' }] }],
    },
  });
});

test('createLicense reports all problems of its fields at once and changes nothing', async () => {
  const { live } = await newBusiness(api);
  const input = {
    productOfferingId: await newProductOffering(api, live),
    customerId: await newCustomer(api, live),
    assignedTo: { type: ' ', id: 'x'.repeat(256), displayName: 'y'.repeat(256), details: { ['k'.repeat(41)]: 1 } },
    details: { a: 'v'.repeat(501) },
    metadata: Object.fromEntries(Array.from({ length: 51 }, (_, i) => [`k${i}`, i])),
    testMode: true,
  };
  const before = await rowsOf(api);
  expect(await refusals(live, input)).toEqual([
    ['INVALID_INPUT', 'input.assignedTo.type'],
    ['INVALID_INPUT', 'input.assignedTo.id'],
    ['INVALID_INPUT', 'input.assignedTo.displayName'],
    ['INVALID_INPUT', `input.assignedTo.details.${'k'.repeat(41)}`],
    ['INVALID_INPUT', 'input.details.a'],
    ['INVALID_INPUT', 'input.metadata'],
    ['MODE_MISMATCH', 'input.testMode'],
  ]);
  expect(await rowsOf(api)).toBe(before);
});

test('createLicense refuses what is not there, not to be had, or does not agree, and changes nothing', async () => {
  const { live, test: testToken } = await newBusiness(api);
  const other = await newBusiness(api);
  const productOfferingId = await newProductOffering(api, live);
  const customerId = await newCustomer(api, live);
  const good = { productOfferingId, customerId };
  const archived = await newProductOffering(api, live);
  await api.db.sql(null, `UPDATE product_offerings SET status = 'ARCHIVED' WHERE id = $1`, [rowId(archived)]);
  const cases: [object, string, string][] = [
    [{ productOfferingId: 'nonsense' }, 'PRODUCT_OFFERING_NOT_FOUND', 'input.productOfferingId'],
    [{ productOfferingId: customerId }, 'PRODUCT_OFFERING_NOT_FOUND', 'input.productOfferingId'],
    [
      { productOfferingId: await newProductOffering(api, other.live) },
      'PRODUCT_OFFERING_NOT_FOUND',
      'input.productOfferingId',
    ],
    [{ productOfferingId: archived }, 'PRODUCT_OFFERING_UNAVAILABLE', 'input.productOfferingId'],
    [{ type: 'Standard' }, 'LICENSE_TYPE_MISMATCH', 'input.type'],
    [{ customerId: 'cus_00000000000000000000000000' }, 'CUSTOMER_NOT_FOUND', 'input.customerId'],
    [{ customerId: await newCustomer(api, other.live) }, 'CUSTOMER_NOT_FOUND', 'input.customerId'],
    [{ customerId: await newCustomer(api, testToken) }, 'MODE_MISMATCH', 'input.customerId'],
    [{ activationDate: '0000-01-01' }, 'INVALID_INPUT', 'input.activationDate'],
    [{ idempotencyKey: 'k'.repeat(257) }, 'INVALID_INPUT', 'input.idempotencyKey'],
  ];
  const before = await rowsOf(api);
  for (const [change, code, path] of cases)
    expect(await refusals(live, { ...good, ...change })).toEqual([[code, path]]);
  const mismatch = await api.call({ token: live, query: create, variables: { input: { ...good, type: 'pro' } } });
  expect(mismatch.data.createLicense.userErrors[0]).toMatchObject({
    __typename: 'LicenseTypeMismatch',
    expected: 'standard',
  });
  expect(await rowsOf(api)).toBe(before);
});

test('NUL, half a surrogate, a malformed day and an unknown field are protocol errors that name their place', async () => {
  const { live } = await newBusiness(api);
  const good = { productOfferingId: 'x', customerId: 'y' };
  const before = await rowsOf(api);
  for (const change of [
    { type: 'a\u0000b' },
    { assignedTo: { type: 'A', id: '\ud800' } },
    { metadata: { 'k\u0000': 1 } },
    { activationDate: '2026-02-30' },
    { status: 'ACTIVE' },
  ]) {
    const answer = await api.call({ token: live, query: create, variables: { input: { ...good, ...change } } });
    expect(answer.errors?.map(({ extensions }) => extensions.code)).toEqual(['BAD_USER_INPUT']);
    expect(JSON.stringify(answer.errors)).toContain(Object.keys(change)[0]);
  }
  expect(await rowsOf(api)).toBe(before);
});

test('with managed billing nobody creates licenses directly', async () => {
  const business = await newBusiness(api);
  const input = {
    productOfferingId: await newProductOffering(api, business.live),
    customerId: await newCustomer(api, business.live),
  };
  await api.db.sql(null, 'UPDATE businesses SET managed_billing = true WHERE id = $1', [rowId(business.id)]);
  const before = await rowsOf(api);
  expect(await refusals(business.live, input)).toEqual([['DIRECT_LICENSE_CREATION_DISABLED', 'input']]);
  expect(await rowsOf(api)).toBe(before);
});

test('twenty licenses of one offering for one assignee at once: one is created, the others are refused', async () => {
  const { live } = await newBusiness(api);
  const productOfferingId = await newKeyedOffering(api, live);
  const customerId = await newCustomer(api, live);
  // Several rounds: in the first one connections are still being made, so that the calls come one after the other.
  for (const site of ['a', 'b', 'c', 'd', 'e', 'f']) {
    const input = { productOfferingId, customerId, assignedTo: { type: 'SITE', id: site } };
    const answers = await Promise.all(
      Array.from({ length: 20 }, () => api.call({ token: live, query: create, variables: { input } })),
    );
    const results = answers.map(({ data, errors }) => {
      expect(errors).toBeUndefined();
      return data.createLicense.license ? 'created' : data.createLicense.userErrors[0].code;
    });
    expect(results.sort()).toEqual([...Array<string>(19).fill('ASSIGNEE_TAKEN'), 'created']);
  }
  const { licenses } = await api.data({ token: live, query: '{ licenses { totalCount nodes { grants { id } } } }' });
  expect(licenses.totalCount).toBe(6);
  expect(licenses.nodes).toEqual(Array(6).fill({ grants: [expect.anything()] }));
});

test('another assignee, kind of assignee or offering is free, and so is an assignee without a current license', async () => {
  const { live } = await newBusiness(api);
  const productOfferingId = await newProductOffering(api, live);
  const assignedTo = { type: 'SITE', id: 'berlin' };
  const first = await newLicense(api, live, { productOfferingId, assignedTo });
  await newLicense(api, live, { productOfferingId, assignedTo: { type: 'SITE', id: 'paris' } });
  await newLicense(api, live, { productOfferingId, assignedTo: { type: 'DEVICE', id: 'berlin' } });
  await newLicense(api, live, { assignedTo });
  const customerId = await newCustomer(api, live);
  const input = { productOfferingId, customerId, assignedTo: { type: ' SITE', id: 'berlin ' } };
  expect(await refusals(live, input)).toEqual([['ASSIGNEE_TAKEN', 'input.assignedTo']]);
  await api.db.sql(null, `UPDATE licenses SET status = 'CANCELLED', cancelled_at = now() WHERE id = $1`, [
    rowId(first),
  ]);
  await newLicense(api, live, { productOfferingId, assignedTo });
});

test('the same idempotency key gives the same license once, also when twenty calls come at once', async () => {
  const { live } = await newBusiness(api);
  const input = {
    productOfferingId: await newKeyedOffering(api, live),
    customerId: await newCustomer(api, live),
    idempotencyKey: 'order 1',
  };
  const answers = await Promise.all(
    Array.from({ length: 20 }, () => api.data({ token: live, query: create, variables: { input } })),
  );
  expect(new Set(answers.map(({ createLicense }) => createLicense.license.id)).size).toBe(1);
  const { licenses, grants } = await api.data({
    token: live,
    query: '{ licenses { totalCount } grants { totalCount } }',
  });
  expect([licenses.totalCount, grants.totalCount]).toEqual([1, 1]);
});

test('another brand than the customer’s is refused', async () => {
  const business = await newBusiness(api);
  const { createBrand } = await api.data({
    token: business.live,
    query: `mutation { createBrand(input: { name: "Second", url: "${randomUUID()}.example.com" }) { brand { id url } userErrors { message } } }`,
  });
  const input = {
    productOfferingId: await newProductOffering(api, business.live),
    customerId: await newCustomer(api, business.live),
  };
  const before = await rowsOf(api);
  const headers = { 'brand-url': createBrand.brand.url };
  expect(await refusals(business.live, input, headers)).toEqual([['BRAND_MISMATCH', 'input.customerId']]);
  expect(await rowsOf(api)).toBe(before);
  await api.data({
    token: business.live,
    query: create,
    variables: { input },
    headers: { 'brand-url': business.brandUrl },
  });
  const list = { query: '{ licenses { totalCount } }', token: business.live };
  expect(await api.data({ ...list, headers })).toEqual({ licenses: { totalCount: 0 } });
  expect(await api.data(list)).toEqual({ licenses: { totalCount: 1 } });
});

test('a key without the scope, a session and nobody may not create licenses', async () => {
  const { live } = await newBusiness(api);
  const customerId = await newCustomer(api, live);
  const input = { productOfferingId: await newProductOffering(api, live), customerId };
  const before = await rowsOf(api);
  const callers: [string | null, string][] = [
    [await newApiKey(api, live, ['LICENSES_READ']), 'FORBIDDEN'],
    [await newSession(api, live, customerId), 'FORBIDDEN'],
    [null, 'UNAUTHENTICATED'],
  ];
  for (const [token, code] of callers) {
    const answer = await api.call({ token, query: create, variables: { input } });
    expect(answer.errors?.map(({ extensions }) => extensions.code)).toEqual([code]);
  }
  // The narrow key and the session left rows of their own, but no license.
  const types = (rows: string) => (JSON.parse(rows) as { name: string }[]).filter(({ name }) => name !== 'changes');
  expect(types(await rowsOf(api))).toEqual(types(before));
});

test('history tells who created the license', async () => {
  const { live } = await newBusiness(api);
  const productOfferingId = await newProductOffering(api, live);
  const customerId = await newCustomer(api, live);
  const { createLicense } = await api.data({
    token: live,
    query: create,
    variables: { input: { productOfferingId, customerId } },
    headers: { 'x-actor': 'Ann' },
  });
  const { id, number } = createLicense.license;
  expect(await changesOf(api, id)).toEqual([
    expect.objectContaining({
      type: 'license.created',
      sequence: 1,
      actor_kind: 'API_KEY',
      actor_name: 'Ann',
      snapshot: expect.objectContaining({ number, status: 'ACTIVE' }),
    }),
  ]);
});
