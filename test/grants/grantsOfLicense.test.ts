import { expect, test } from '@jest/globals';
import { useApi } from '../support/api.js';
import { newBusiness, newCustomer } from '../support/business.js';
import { attachEntitlement, newEntitlement, newProductOffering } from '../support/catalog.js';
import { changesOf, newLicense, rowId, rowsOf } from '../support/licenses.js';

const api = useApi();

/** Does one thing to a license, such as `pause`. */
async function move(token: string, event: string, licenseId: string): Promise<void> {
  const name = `${event}License`;
  const type = `${name[0]?.toUpperCase()}${name.slice(1)}Input`;
  const query = `mutation ($input: ${type}!) { ${name}(input: $input) { userErrors { message } } }`;
  await api.data({ token, query, variables: { input: { licenseId, reason: `to ${event}` } } });
}

const look = `query ($id: ID!) { license(id: $id) { grants {
  id status revokedAt revocationReason revocationNote deliveredAt errorCode version fulfillmentMode licenseKey { id status version }
} } }`;

async function grantsOf(token: string, id: string): Promise<any[]> {
  const { license } = await api.data({ token, query: look, variables: { id } });
  return license.grants;
}

/** A license with a delivered key, a grant that waits for one, and one that failed; grants in this order. */
async function newLicenseWithGrants(token: string) {
  const productOfferingId = await newProductOffering(api, token);
  const target = { productOfferingId };
  await attachEntitlement(api, token, { target });
  for (let i = 0; i < 2; i++)
    await attachEntitlement(api, token, { target, licenseKey: { fulfillmentMode: 'MANUAL' } });
  const id = await newLicense(api, token, { productOfferingId });
  const grants = await grantsOf(token, id);
  const delivered = grants.find(({ status }) => status === 'DELIVERED');
  const [pending, failed] = grants.filter(({ status }) => status === 'PENDING');
  await api.db.sql(null, `UPDATE grants SET status = 'FAILED', error_code = 'x', error_message = 'y' WHERE id = $1`, [
    rowId(failed.id),
  ]);
  const ids = [delivered.id, pending.id, failed.id] as string[];
  const read = async () => {
    const found = await grantsOf(token, id);
    return ids.map((grantId) => found.find((grant) => grant.id === grantId));
  };
  return { id, ids, read };
}

const before = ['DELIVERED', 'PENDING', 'FAILED'];
const revoked = ['REVOKED', 'REVOKED', 'REVOKED'];

test.each([
  [
    ['pause', 'resume'],
    ['LICENSE_PAUSED', null],
  ],
  [
    ['block', 'unblock'],
    ['LICENSE_BLOCKED', null],
  ],
  [
    ['pause', 'block', 'unblock', 'resume'],
    ['LICENSE_PAUSED', 'LICENSE_PAUSED', 'LICENSE_PAUSED', null],
  ],
  [
    ['pause', 'cancel'],
    ['LICENSE_PAUSED', 'LICENSE_CANCELLED'],
  ],
  [
    ['block', 'cancel'],
    ['LICENSE_BLOCKED', 'LICENSE_CANCELLED'],
  ],
  [
    ['pause', 'block', 'cancel'],
    ['LICENSE_PAUSED', 'LICENSE_PAUSED', 'LICENSE_CANCELLED'],
  ],
  [['cancel'], ['LICENSE_CANCELLED']],
] as [string[], (string | null)[]][])(
  '%j: what the license granted goes and comes back with it',
  async (path, reasons) => {
    const { live } = await newBusiness(api);
    const { id, read } = await newLicenseWithGrants(live);
    for (const [i, event] of path.entries()) {
      await move(live, event, id);
      const reason = reasons[i];
      const grants = await read();
      expect(grants.map(({ status }) => status)).toEqual(reason ? revoked : before);
      expect(grants.map(({ revocationReason }) => revocationReason)).toEqual([reason, reason, reason]);
      expect(grants.map(({ revokedAt }) => revokedAt !== null)).toEqual(Array(3).fill(reason !== null));
      expect(grants[2].errorCode).toBe(event === 'cancel' ? null : 'x');
      expect(grants[0].deliveredAt).not.toBeNull();
      // A pause or block says nothing about the key itself; the end of the license switches it off.
      expect(grants[0].licenseKey).toMatchObject(
        event === 'cancel' ? { status: 'DISABLED', version: 2 } : { status: 'ACTIVE', version: 1 },
      );
    }
  },
);

test('the history of a grant tells each cause, who and why', async () => {
  const { live } = await newBusiness(api);
  const { id, ids } = await newLicenseWithGrants(live);
  for (const event of ['pause', 'block', 'unblock', 'resume', 'block', 'cancel']) await move(live, event, id);
  const changes = (await changesOf(api, ids[0] as string)).slice(2);
  expect(changes.map(({ type, sequence, reason }) => [type, sequence, reason])).toEqual([
    ['entitlement_grant.revoked', 3, 'to pause'],
    ['entitlement_grant.updated', 4, 'to block'],
    ['entitlement_grant.updated', 5, 'to unblock'],
    ['entitlement_grant.restored', 6, 'to resume'],
    ['entitlement_grant.revoked', 7, 'to block'],
    ['entitlement_grant.revoked', 8, 'to cancel'],
  ]);
  expect(changes.map(({ after }) => after?.revocationCauses)).toEqual([
    ['LICENSE_PAUSED'],
    ['LICENSE_PAUSED', 'LICENSE_BLOCKED'],
    ['LICENSE_PAUSED'],
    [],
    ['LICENSE_BLOCKED'],
    [],
  ]);
  expect(changes[3]).toMatchObject({
    before: { status: 'REVOKED', revocationReason: 'LICENSE_PAUSED' },
    after: { status: 'DELIVERED', revocationReason: null, revokedAt: null, statusBeforeRevocation: null },
    snapshot: { status: 'DELIVERED', version: 6 },
  });
});

test('a grant that was taken back by hand stays so, before, during and after a pause', async () => {
  const { live } = await newBusiness(api);
  const { id, ids, read } = await newLicenseWithGrants(live);
  const revoke = `mutation ($input: RevokeGrantInput!) { revokeGrant(input: $input) { userErrors { message } } }`;
  const byHand = (grantId: string) =>
    api.data({ token: live, query: revoke, variables: { input: { grantId, note: 'by hand' } } });
  await byHand(ids[1] as string);
  await move(live, 'pause', id);
  await byHand(ids[0] as string);
  const once = await rowsOf(api);
  await byHand(ids[0] as string);
  expect(await rowsOf(api)).toBe(once);
  const [delivered, pending, failed] = await read();
  expect(delivered).toMatchObject({ revocationReason: 'MANUAL', licenseKey: { status: 'DISABLED' } });
  expect([pending.revocationReason, failed.revocationReason]).toEqual(['MANUAL', 'LICENSE_PAUSED']);
  await move(live, 'resume', id);
  expect((await read()).map(({ status, revocationNote }) => [status, revocationNote])).toEqual([
    ['REVOKED', 'by hand'],
    ['REVOKED', 'by hand'],
    ['FAILED', null],
  ]);
  await move(live, 'cancel', id);
  expect((await read()).map(({ revocationReason }) => revocationReason)).toEqual([
    'MANUAL',
    'MANUAL',
    'LICENSE_CANCELLED',
  ]);
});

test('a cancelled license’s key stays on while another license that is not cancelled uses it', async () => {
  const { live } = await newBusiness(api);
  const { id, read } = await newLicenseWithGrants(live);
  const keyId = (await read())[0].licenseKey.id as string;
  // Later, because one key has one license at a time.
  await api.db.sql(null, `UPDATE licenses SET valid_until = '2998-01-01' WHERE id = $1`, [rowId(id)]);
  const other = await newLicense(api, live, { activationDate: '2999-01-01' });
  await api.db.sql(
    null,
    `INSERT INTO license_key_bindings (business_id, mode, license_key_id, license_id, created_at)
      SELECT business_id, mode, $1, id, now() FROM licenses WHERE id = $2`,
    [rowId(keyId), rowId(other)],
  );
  await move(live, 'cancel', id);
  expect((await read())[0]).toMatchObject({ status: 'REVOKED', licenseKey: { status: 'ACTIVE', version: 1 } });
  await move(live, 'cancel', other);
  expect((await read())[0].licenseKey).toMatchObject({ status: 'DISABLED', version: 2 });
});

test('fulfilling against cancelling: the key is never left on, whoever comes first', async () => {
  const { live } = await newBusiness(api);
  const fulfil = `mutation ($input: FulfillLicenseKeyGrantInput!) { fulfillLicenseKeyGrant(input: $input) { userErrors { code } } }`;
  for (let round = 0; round < 5; round++) {
    const { id, ids, read } = await newLicenseWithGrants(live);
    const input = { grantId: ids[1], key: `RACE-${round}-KEY` };
    const [fulfilled] = await Promise.all([
      api.call({ token: live, query: fulfil, variables: { input } }),
      move(live, 'cancel', id),
    ]);
    expect(fulfilled.errors).toBeUndefined();
    const codes = fulfilled.data.fulfillLicenseKeyGrant.userErrors.map((error: { code: string }) => error.code);
    const [, grant] = await read();
    expect(grant).toMatchObject({ status: 'REVOKED', revocationReason: 'LICENSE_CANCELLED' });
    if (codes.length > 0) expect([codes, grant.licenseKey]).toEqual([['GRANT_NOT_PENDING'], null]);
    else expect(grant.licenseKey.status).toBe('DISABLED');
  }
});

test('a grant is issued before its license is cancelled, and goes with it, or not at all', async () => {
  const { live } = await newBusiness(api);
  const issue = `mutation ($input: IssueGrantInput!) { issueGrant(input: $input) { grant { id } userErrors { code path } } }`;
  const productOfferingId = await newProductOffering(api, live);
  const customerId = await newCustomer(api, live);
  const entitlementId = await newEntitlement(api, live);
  const refused = { grant: null, userErrors: [{ code: 'INVALID_INPUT', path: ['input', 'licenseId'] }] };
  for (let round = 0; round < 6; round++) {
    const licenseId = await newLicense(api, live, { productOfferingId, customerId });
    const variables = { input: { entitlementId, customerId, licenseId } };
    const [answer] = await Promise.all([
      api.call({ token: live, query: issue, variables }),
      move(live, 'cancel', licenseId),
    ]);
    const grants = await grantsOf(live, licenseId);
    if (answer.data.issueGrant.grant === null) expect([answer.data.issueGrant, grants]).toEqual([refused, []]);
    else expect(grants).toMatchObject([{ status: 'REVOKED', revocationReason: 'LICENSE_CANCELLED' }]);
    const before = await rowsOf(api);
    expect((await api.call({ token: live, query: issue, variables })).data.issueGrant).toEqual(refused);
    expect(await rowsOf(api)).toBe(before);
  }
});

test('a mail that was withdrawn while its license was paused goes out when it is resumed', async () => {
  const { live } = await newBusiness(api);
  const productOfferingId = await newProductOffering(api, live);
  await attachEntitlement(api, live, { target: { productOfferingId } });
  const customerId = await newCustomer(api, live, { email: 'erika@example.com' });
  const id = await newLicense(api, live, { productOfferingId, customerId });
  const query = 'query ($id: ID!) { license(id: $id) { grants { deliveries { id status failure } } } }';
  const deliveryOf = async () =>
    (await api.data({ token: live, query, variables: { id } })).license.grants[0].deliveries[0];
  const { id: deliveryId } = await deliveryOf();
  await move(live, 'pause', id);
  // What the worker writes when it comes to a mail whose grant is taken back.
  await api.db.sql(
    null,
    "UPDATE deliveries SET status = 'FAILED', failure = 'WITHDRAWN', enqueued_at = created_at WHERE id = $1",
    [rowId(deliveryId)],
  );
  expect(await deliveryOf()).toEqual({ id: deliveryId, status: 'FAILED', failure: 'WITHDRAWN' });
  await move(live, 'resume', id);
  expect(await deliveryOf()).toEqual({ id: deliveryId, status: 'QUEUED', failure: null });
  const [row] = await api.db.sql<{ waiting: boolean }>(
    null,
    'SELECT enqueued_at IS NULL AS waiting FROM deliveries WHERE id = $1',
    [rowId(deliveryId)],
  );
  expect(row?.waiting).toBe(true);
});
