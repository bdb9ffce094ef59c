import { expect, test } from '@jest/globals';
import { useApi } from '../support/api.js';
import { newBusiness, newCustomer, type TestBusiness } from '../support/business.js';
import { newProductOffering } from '../support/catalog.js';
import { rowsOf } from '../support/licenses.js';

// Source 002, "Create a new license" of the Connect API of Telness Tech's Seamless OS, field by field. Left what its page
// documents, right where it stands here.
const request = {
  'API key': 'X-Api-Key',
  'A unique key to ensure idempotency of requests': 'X-Idempotency-Key',
  'The unique identifier for the product offering to subscribe to': 'productOfferingId',
  'The unique identifier for the existing customer who will own this license': 'customerId',
  'The type of license': 'type',
  'Assignment reference for a license': 'assignedTo',
  'Date when the license should be activated': 'activationDate',
  'A set of key-value pairs': 'metadata',
} as const;

const response = {
  'The unique identifier for the license': 'id',
  'The status of the license': 'status',
  'The type of license': 'type',
  'Customer information embedded in responses': 'customer { id name }',
  'Embedded representation of a product offering':
    'productOffering { id name price { amount currencyCode } billingPeriod boundMonths group status }',
  'The date and time when the license was activated': 'activatedAt',
  'Assignment details for a license': 'assignedTo { type id displayName details }',
  'Additional license details specific to certain license types': 'details',
  'Details about when a pending status change is scheduled': 'pendingStatus { status scheduledAt }',
  'Pending product offering change': 'pendingProductOffering { productOffering { id } scheduledAt }',
  'The date and time when the license was cancelled': 'cancelledAt',
  'The date and time when the license was paused': 'pausedAt',
  'A set of key-value pairs': 'metadata',
} as const;

/** Statuses that the page names, in its order. */
const statuses = ['PENDING', 'ACTIVE', 'PAUSED', 'CANCELLED', 'BLOCKED'];

const api = useApi();
const fields = Object.values(response).join(' ');
const create = `mutation ($input: CreateLicenseInput!) {
  createLicense(input: $input) { license { validFrom ${fields} } userErrors { __typename message path code } } }`;

interface Caller {
  token: string;
  input: Record<string, unknown>;
}

async function newCaller(business: TestBusiness): Promise<Caller> {
  const customerId = await newCustomer(api, business.live, { email: 'hidden@example.com' });
  const productOfferingId = await newProductOffering(api, business.live, {
    name: 'Mobile, 10 GB',
    licenseType: 'SUBSCRIPTION_CELL',
    billingPeriod: 'MONTH',
    boundMonths: 12,
    group: 'Mobile',
  });
  return {
    token: business.live,
    input: {
      productOfferingId,
      customerId,
      type: 'SUBSCRIPTION_CELL',
      assignedTo: { type: 'SUBSCRIPTION', id: 'sub-46701234567', displayName: '+46 70 123 45 67' },
      activationDate: '2024-01-15',
      metadata: { crm: 'A-17', seats: 1 },
    },
  };
}

/** As the source's clients call: the token in its header, the key in one of two. */
const send = ({ token, input }: Caller, headers: Record<string, string> = {}) =>
  api.call({ query: create, variables: { input }, headers: { 'x-api-key': token, ...headers } });

test("the source's request makes a license, and every field of its response is there", async () => {
  const caller = await newCaller(await newBusiness(api));
  const fieldsSent = Object.values(request).filter((name) => !name.startsWith('X-'));
  expect(Object.keys(caller.input).sort()).toEqual([...fieldsSent].sort());
  api.setNow('2026-03-01T10:00:00.000Z');
  const answer = await send(caller, { 'x-idempotency-key': 'license-1' });
  api.setNow(null);
  expect([answer.status, answer.errors]).toEqual([200, undefined]);
  expect(answer.data.createLicense).toEqual({
    license: {
      id: expect.stringMatching(/^lic_/),
      status: 'ACTIVE',
      type: 'SUBSCRIPTION_CELL',
      customer: { id: caller.input.customerId, name: 'Erika Mustermann' },
      productOffering: {
        id: caller.input.productOfferingId,
        name: 'Mobile, 10 GB',
        price: { amount: '19.90', currencyCode: 'USD' },
        billingPeriod: 'MONTH',
        boundMonths: 12,
        group: 'Mobile',
        status: 'AVAILABLE',
      },
      activatedAt: '2026-03-01T10:00:00.000Z',
      assignedTo: { type: 'SUBSCRIPTION', id: 'sub-46701234567', displayName: '+46 70 123 45 67', details: null },
      details: null,
      pendingStatus: null,
      pendingProductOffering: null,
      cancelledAt: null,
      pausedAt: null,
      metadata: { crm: 'A-17', seats: 1 },
      // The day of the source's example, at 00:00 UTC.
      validFrom: '2024-01-15T00:00:00.000Z',
    },
    userErrors: [],
  });
  // An older document of the source carries details as well.
  const detailed = await send({ ...caller, input: { ...caller.input, assignedTo: null, details: { sim: '8946' } } });
  expect(detailed.data.createLicense.license).toMatchObject({ details: { sim: '8946' }, assignedTo: null });
});

test('it has the five statuses of the source and no other', async () => {
  const { __type: type } = await api.data({
    token: (await newBusiness(api)).live,
    query: '{ __type(name: "LicenseStatus") { enumValues { name } } }',
  });
  expect(type.enumValues.map(({ name }: { name: string }) => name).sort()).toEqual([...statuses].sort());
});

test('a license of a later day is pending, and says when it will be active', async () => {
  const caller = await newCaller(await newBusiness(api));
  api.setNow('2024-01-14T23:59:59.999Z');
  const { license } = (await send(caller)).data.createLicense;
  expect(license).toMatchObject({
    status: 'PENDING',
    activatedAt: null,
    pendingStatus: { status: 'ACTIVE', scheduledAt: '2024-01-15T00:00:00.000Z' },
  });
  api.setNow('2024-01-15T00:00:00.000Z');
  const query = 'query ($id: ID!) { license(id: $id) { status activatedAt pendingStatus { status } } }';
  const seen = await api.data({ token: caller.token, query, variables: { id: license.id } });
  api.setNow(null);
  expect(seen.license).toEqual({ status: 'ACTIVE', activatedAt: '2024-01-15T00:00:00.000Z', pendingStatus: null });
});

test.each(['x-idempotency-key', 'idempotency-key'])(
  'with %s the same request gives the same result, and a changed one 409',
  async (header) => {
    const caller = await newCaller(await newBusiness(api));
    const headers = { [header]: 'k'.repeat(256) };
    const first = await send(caller, headers);
    const before = await rowsOf(api);
    const again = await send(caller, headers);
    expect([again.status, again.data]).toEqual([200, first.data]);
    expect([first, again].map(({ extensions }) => extensions.idempotency)).toEqual([
      [{ path: ['createLicense'], replayed: false }],
      [{ path: ['createLicense'], replayed: true }],
    ]);
    const changed = await send({ ...caller, input: { ...caller.input, activationDate: '2024-01-16' } }, headers);
    expect([changed.status, changed.data, changed.errors?.[0]?.extensions.code]).toEqual([
      409,
      null,
      'IDEMPOTENCY_CONFLICT',
    ]);
    // A key is of at most 256 characters, and is forgotten after a day.
    const long = await send(caller, { [header]: 'k'.repeat(257) });
    expect([long.status, long.errors?.[0]?.extensions.code]).toEqual([400, 'BAD_REQUEST']);
    expect(await rowsOf(api)).toBe(before);
    api.setNow(new Date(Date.now() + 86_400_000));
    const late = await send({ ...caller, input: { ...caller.input, assignedTo: null } }, headers);
    api.setNow(null);
    expect(late.data.createLicense.license.id).not.toBe(first.data.createLicense.license.id);
  },
);

test('when billing is managed here the call is refused, as at the source', async () => {
  const business = await newBusiness(api);
  const caller = await newCaller(business);
  const update = 'mutation { updateBusiness(input: { managedBilling: true }) { userErrors { message } } }';
  await api.data({ token: business.live, query: update });
  const before = await rowsOf(api);
  const { license, userErrors } = (await send(caller)).data.createLicense;
  expect([license, userErrors]).toEqual([
    null,
    [
      {
        __typename: 'DirectLicenseCreationDisabled',
        code: 'DIRECT_LICENSE_CREATION_DISABLED',
        path: ['input'],
        message: 'Billing is managed here: licenses come from orders and wallet purchases.',
      },
    ],
  ]);
  expect(await rowsOf(api)).toBe(before);
});

test('the type must agree with the offering, which alone decides it', async () => {
  const caller = await newCaller(await newBusiness(api));
  const { userErrors } = (await send({ ...caller, input: { ...caller.input, type: 'SUBSCRIPTION_DATA' } })).data
    .createLicense;
  expect(userErrors).toMatchObject([{ code: 'LICENSE_TYPE_MISMATCH', path: ['input', 'type'] }]);
  const { type: _, ...untyped } = caller.input;
  expect((await send({ ...caller, input: untyped })).data.createLicense.license.type).toBe('SUBSCRIPTION_CELL');
});

test('without a key, or with one that is none, it is 401', async () => {
  const caller = await newCaller(await newBusiness(api));
  for (const token of ['', 'lk_live_nonsense', caller.token.slice(0, -1)]) {
    const answer = await send({ ...caller, token });
    expect([token.length, answer.status, answer.errors?.[0]?.extensions.code]).toEqual([
      token.length,
      401,
      'UNAUTHENTICATED',
    ]);
  }
});
