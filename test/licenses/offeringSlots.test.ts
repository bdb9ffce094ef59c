import { beforeAll, expect, test } from '@jest/globals';
import { useApi } from '../support/api.js';
import { newBusiness, newCustomer } from '../support/business.js';
import { newProduct, newProductOffering } from '../support/catalog.js';
import { changeLicense, newLicense, rowId, runDueChanges } from '../support/licenses.js';
import { changeOffering } from './offeringCalls.js';

const api = useApi();
const january = '2026-01-01T00:00:00.000Z';
const february = '2026-02-01T00:00:00.000Z';
const march = '2026-03-01T00:00:00.000Z';

let token: string;
let customerId: string;
let basic: string;
let pro: string;
beforeAll(async () => {
  api.setNow(january);
  token = (await newBusiness(api)).live;
  customerId = await newCustomer(api, token);
  const productId = await newProduct(api, token);
  basic = await newProductOffering(api, token, { productId, amount: '1.00' });
  pro = await newProductOffering(api, token, { productId, amount: '2.00' });
});

const license = (productOfferingId: string, id: string, fields: object = {}) =>
  newLicense(api, token, { productOfferingId, customerId, assignedTo: { type: 'SEAT', id }, ...fields });
/** As a renewal or an order gives it an end. */
const endAt = (licenseId: string, instant: string) =>
  api.db.writer.pool.query('UPDATE licenses SET valid_until = $2 WHERE id = $1', [rowId(licenseId), instant]);
const codes = ({ userErrors }: { userErrors: { code: string }[] }) => userErrors.map(({ code }) => code);
const stored = async (licenseId: string) =>
  (
    await api.db.sql<object>(
      null,
      'SELECT product_offering_id AS offering, pending_offering_id AS pending FROM licenses WHERE id = $1',
      [rowId(licenseId)],
    )
  )[0];

test('a license may change to what its assignee had before, at once and by a change that is scheduled', async () => {
  for (const [seat, at] of [
    ['at once', null],
    ['later', march],
  ] as const) {
    api.setNow(january);
    await endAt(await license(pro, seat), february);
    const licenseId = await license(basic, seat);
    api.setNow(february);
    expect(codes(await changeOffering(api, token, { licenseId, productOfferingId: pro, at }))).toEqual([]);
    await runDueChanges(api, march);
    expect(await stored(licenseId)).toEqual({ offering: rowId(pro), pending: null });
  }
});

test('since then it has the offering for its assignee, and nobody else gets it', async () => {
  api.setNow(january);
  const licenseId = await license(basic, 'since');
  api.setNow(february);
  expect(codes(await changeOffering(api, token, { licenseId, productOfferingId: pro }))).toEqual([]);
  const query = `mutation ($input: CreateLicenseInput!) { createLicense(input: $input) { userErrors { code } } }`;
  const input = { productOfferingId: pro, customerId, assignedTo: { type: 'SEAT', id: 'since' } };
  const { data } = await api.call({ token, query, variables: { input } });
  expect(codes(data.createLicense)).toEqual(['ASSIGNEE_TAKEN']);
  const other = await license(pro, 'other');
  await expect(
    api.db.writer.pool.query("UPDATE licenses SET assigned_to_id = 'since' WHERE id = $1", [rowId(other)]),
  ).rejects.toThrow('licenses_assignee_taken');
});

test('one that has not started takes nothing up before its start', async () => {
  api.setNow(january);
  await endAt(await license(pro, 'pending'), february);
  const licenseId = await license(basic, 'pending', { activationDate: '2026-02-01' });
  expect(codes(await changeOffering(api, token, { licenseId, productOfferingId: pro }))).toEqual([]);
  expect(await stored(licenseId)).toEqual({ offering: rowId(pro), pending: null });
});

test('what is scheduled in place of a cancellation may not take the offering to come from somebody else', async () => {
  api.setNow(january);
  const licenseId = await license(basic, 'replaced');
  await changeOffering(api, token, { licenseId, productOfferingId: pro, at: february });
  await changeLicense(api, token, 'cancel', licenseId, { at: march });
  await license(pro, 'replaced', { activationDate: '2026-03-01' });
  const paused = await changeLicense(api, token, 'pause', licenseId, { at: '2026-01-15T00:00:00.000Z' });
  expect(paused.userErrors).toMatchObject([{ code: 'ASSIGNEE_TAKEN', path: ['input', 'licenseId'] }]);
  await runDueChanges(api, february);
  expect(await stored(licenseId)).toEqual({ offering: rowId(pro), pending: null });
});
