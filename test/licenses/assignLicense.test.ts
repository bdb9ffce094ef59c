import { beforeAll, expect, test } from '@jest/globals';
import { useApi } from '../support/api.js';
import { newApiKey, newBusiness, newCustomer, newSession, type TestBusiness } from '../support/business.js';
import { newProduct, newProductOffering } from '../support/catalog.js';
import { changesOf, newLicense, rowsOf } from '../support/licenses.js';
import { changeOffering } from './offeringCalls.js';

const api = useApi();
let business: TestBusiness;
let token: string;
let customerId: string;
let productOfferingId: string;
let otherId: string;
beforeAll(async () => {
  business = await newBusiness(api);
  token = business.live;
  customerId = await newCustomer(api, token);
  const productId = await newProduct(api, token);
  productOfferingId = await newProductOffering(api, token, { productId });
  otherId = await newProductOffering(api, token, { productId });
});

const assign = `mutation ($input: AssignLicenseInput!) { assignLicense(input: $input) {
  license { id version assignedTo { type id displayName details } } userErrors { code path } } }`;
const update = `mutation ($input: UpdateLicenseInput!) { updateLicense(input: $input) {
  license { id version description tags details metadata } userErrors { code path } } }`;
async function call(query: string, input: object, caller = token, headers: Record<string, string> = {}): Promise<any> {
  const answer = await api.call({ token: caller, query, variables: { input }, headers });
  expect(answer.errors).toBeUndefined();
  return Object.values(answer.data as object)[0];
}
const license = (fields: object = {}) => newLicense(api, token, { productOfferingId, customerId, ...fields });
const seat = (id: string) => ({ type: 'SEAT', id });

test('assignLicense assigns, changes and takes away', async () => {
  const licenseId = await license();
  const assignedTo = { type: ' SEAT ', id: 's1', displayName: 'Desk 1', details: { floor: 3 } };
  expect(await call(assign, { licenseId, assignedTo, expectedVersion: 1, reason: 'Moved in' })).toEqual({
    license: { id: licenseId, version: 2, assignedTo: { ...assignedTo, type: 'SEAT' } },
    userErrors: [],
  });
  expect((await changesOf(api, licenseId)).at(-1)).toMatchObject({
    type: 'license.assigned',
    reason: 'Moved in',
    before: { assignedToId: null },
    after: { assignedToId: 's1' },
  });
  expect((await call(assign, { licenseId, assignedTo: null })).license).toEqual({
    id: licenseId,
    version: 3,
    assignedTo: null,
  });
});

test('assignLicense refuses what is taken, now or by a change that is scheduled, and changes nothing', async () => {
  const [holder, changing, licenseId] = [
    await license({ assignedTo: seat('taken') }),
    await license(),
    await license(),
  ];
  const other = await license({ productOfferingId: otherId });
  await call(assign, { licenseId: changing, assignedTo: seat('later') });
  const scheduled = { licenseId: changing, productOfferingId: otherId, at: '2999-01-01T00:00:00Z' };
  expect((await changeOffering(api, token, scheduled)).userErrors).toEqual([]);
  const before = await rowsOf(api);
  const taken = [{ code: 'ASSIGNEE_TAKEN', path: ['input', 'assignedTo'] }];
  expect((await call(assign, { licenseId, assignedTo: seat('taken') })).userErrors).toEqual(taken);
  expect((await call(assign, { licenseId: other, assignedTo: seat('later') })).userErrors).toEqual(taken);
  expect((await call(assign, { licenseId, assignedTo: { type: '', id: '' } })).userErrors).toHaveLength(2);
  expect(
    (await call(assign, { licenseId: holder, assignedTo: seat('x'), expectedVersion: 9 })).userErrors[0].code,
  ).toBe('STALE_OBJECT');
  expect(await rowsOf(api)).toBe(before);
});

test('races: of many licenses one gets the assignee', async () => {
  const ids = await Promise.all([1, 2, 3, 4].map(() => license()));
  const answers = await Promise.all(ids.map((licenseId) => call(assign, { licenseId, assignedTo: seat('wanted') })));
  expect(answers.flatMap(({ userErrors }) => userErrors.map(({ code }: { code: string }) => code))).toEqual(
    Array.from({ length: 3 }, () => 'ASSIGNEE_TAKEN'),
  );
});

test('not yours and not allowed: neither assigns nor updates', async () => {
  const licenseId = await license();
  const theirs = await newBusiness(api);
  const url = 'elsewhere.assign.example';
  await api.data({
    token,
    query: 'mutation ($input: CreateBrandInput!) { createBrand(input: $input) { userErrors { message } } }',
    variables: { input: { name: 'Elsewhere', url } },
  });
  const session = await newSession(api, token, customerId);
  const reader = await newApiKey(api, token, ['LICENSES_READ']);
  const before = await rowsOf(api);
  for (const query of [assign, update]) {
    expect((await call(query, { licenseId }, theirs.live)).userErrors[0].code).toBe('LICENSE_NOT_FOUND');
    expect((await call(query, { licenseId }, business.test)).userErrors[0].code).toBe('MODE_MISMATCH');
    expect((await call(query, { licenseId }, token, { 'brand-url': url })).userErrors[0].code).toBe('BRAND_MISMATCH');
    for (const caller of [session, reader]) {
      const answer = await api.call({ token: caller, query, variables: { input: { licenseId } } });
      expect(answer.errors?.[0]?.extensions.code).toBe('FORBIDDEN');
    }
  }
  expect(await rowsOf(api)).toBe(before);
});

test('a license of an erased customer is neither assigned nor noted about again', async () => {
  const erased = await newCustomer(api, token);
  const licenseId = await newLicense(api, token, { productOfferingId, customerId: erased });
  await api.data({
    token,
    query: 'mutation ($input: EraseCustomerInput!) { eraseCustomer(input: $input) { userErrors { message } } }',
    variables: { input: { customerId: erased } },
  });
  const before = await rowsOf(api);
  const refused = { license: null, userErrors: [{ code: 'CUSTOMER_ERASED', path: ['input', 'licenseId'] }] };
  expect(await call(assign, { licenseId, assignedTo: seat('Erika') })).toEqual(refused);
  expect(await call(update, { licenseId, description: 'Erika again', metadata: { email: 'e@example.com' } })).toEqual(
    refused,
  );
  expect(await rowsOf(api)).toBe(before);
});

test('races: whatever is written while a customer is erased, nothing of it is left', async () => {
  const customers = await Promise.all([1, 2, 3, 4, 5, 6].map(() => newCustomer(api, token)));
  for (const erased of customers) {
    const licenseId = await newLicense(api, token, { productOfferingId, customerId: erased });
    await Promise.all([
      api.data({
        token,
        query: 'mutation ($input: EraseCustomerInput!) { eraseCustomer(input: $input) { userErrors { message } } }',
        variables: { input: { customerId: erased } },
      }),
      call(update, { licenseId, description: 'Erika' }),
      call(assign, { licenseId, assignedTo: seat(`Erika ${licenseId}`) }),
    ]);
  }
  const left = await api.db.sql(
    null,
    `SELECT l.id FROM licenses l JOIN customers c ON c.id = l.customer_id
      WHERE c.erased_at IS NOT NULL AND num_nonnulls(l.description, l.assigned_to_id) > 0`,
    [],
  );
  expect(left).toEqual([]);
});
