import { randomUUID } from 'node:crypto';
import { afterEach, expect, test } from '@jest/globals';
import { readConfig } from '../../src/config.js';
import type { Delivery } from '../../src/generated/prisma/client.js';
import { licenseKeyMail } from '../../src/grants/licenseKeyMail.js';
import { columnsOf } from '../../src/kernel/rows.js';
import { keyringOf } from '../../src/keyring.js';
import { testEnvironment, useApi } from '../support/api.js';
import { newBusiness, newCustomer } from '../support/business.js';
import { attachEntitlement, newEntitlement, newProductOffering } from '../support/catalog.js';
import { holdRows } from '../support/holdRows.js';
import {
  changeLicense,
  changesOf,
  newGrant,
  newLicense,
  rowId,
  rowsOf,
  runDueChanges,
  type LicenseEvent,
} from '../support/licenses.js';

const api = useApi();
afterEach(() => api.setNow(null));

const now = '2026-03-01T10:00:00.000Z';
const at = '2026-04-01T00:00:00.000Z';
const later = '2026-04-02T00:00:00.000Z';

const look = `query ($id: ID!) { license(id: $id) { grants {
  id status deliveredAt revokedAt revocationReason errorCode errorMessage claimedBy claimedUntil licenseKey { id status } } } }`;

async function grantsOf(token: string, id: string): Promise<any[]> {
  return (await api.data({ token, query: look, variables: { id } })).license.grants;
}

/** A license with a delivered key, a claimed grant that waits for one, and one that failed; grants in this order. */
async function newLicenseWithGrants(token: string, fields: object = {}) {
  const productOfferingId = await newProductOffering(api, token);
  const target = { productOfferingId };
  await attachEntitlement(api, token, { target });
  for (let i = 0; i < 2; i++)
    await attachEntitlement(api, token, { target, licenseKey: { fulfillmentMode: 'MANUAL' } });
  const customerId = await newCustomer(api, token, { email: `${randomUUID()}@example.com` });
  const id = await newLicense(api, token, { productOfferingId, customerId, ...fields });
  const grants = await grantsOf(token, id);
  const delivered = grants.find(({ status }) => status === 'DELIVERED');
  const [pending, failed] = grants.filter(({ status }) => status === 'PENDING');
  await api.db.sql(null, `UPDATE grants SET status = 'FAILED', error_code = 'x', error_message = 'y' WHERE id = $1`, [
    rowId(failed.id),
  ]);
  return { id, customerId, ids: [delivered.id, pending.id, failed.id] as string[] };
}

async function endAt(id: string, until: string, isRenewed = false): Promise<void> {
  const renewal = `(SELECT id FROM licenses o WHERE o.business_id = licenses.business_id AND o.id <> licenses.id LIMIT 1)`;
  await api.db.sql(
    null,
    `UPDATE licenses SET valid_until = $2, renewal_id = ${isRenewed ? renewal : 'NULL'} WHERE id = $1`,
    [rowId(id), until],
  );
}

/** What readers get of a license's grants: the fields, the lists by status, the desk's queue. */
async function seen(token: string, id: string, ids: string[]) {
  const found = await grantsOf(token, id);
  const query = `query ($where: GrantWhere!) { grants(where: $where) { totalCount nodes { id } } }`;
  const byStatus: Record<string, number[]> = {};
  for (const status of ['PENDING', 'DELIVERED', 'FAILED', 'REVOKED']) {
    const where = { licenseId: { in: [id] }, status: { in: [status] } };
    const { grants } = await api.data({ token, query, variables: { where } });
    byStatus[status] = grants.nodes.map((grant: { id: string }) => ids.indexOf(grant.id)).sort();
    expect(grants.totalCount).toBe(grants.nodes.length);
  }
  const { pendingGrants } = await api.data({ token, query: '{ pendingGrants(first: 100) { nodes { id } } }' });
  const queue = pendingGrants.nodes.map((grant: { id: string }) => ids.indexOf(grant.id)).filter((i: number) => i >= 0);
  return { grants: ids.map((grantId) => found.find((grant) => grant.id === grantId)), byStatus, queue };
}

interface Scenario {
  ways?: LicenseEvent[];
  schedule?: LicenseEvent;
  ends?: string;
  isRenewed?: boolean;
  isPending?: boolean;
  /** Since when and why the grants are taken back at `later`; null: they are not. */
  reason: string | null;
  since?: string;
}

const scenarios: Record<string, Scenario> = {
  'an active one is paused': { schedule: 'pause', reason: 'LICENSE_PAUSED', since: at },
  'an active one is blocked': { schedule: 'block', reason: 'LICENSE_BLOCKED', since: at },
  'an active one is cancelled': { schedule: 'cancel', reason: 'LICENSE_CANCELLED', since: at },
  'a paused one is resumed': { ways: ['pause'], schedule: 'resume', reason: null },
  'a paused one is blocked': { ways: ['pause'], schedule: 'block', reason: 'LICENSE_PAUSED', since: now },
  'a paused one is cancelled': { ways: ['pause'], schedule: 'cancel', reason: 'LICENSE_CANCELLED', since: now },
  'a blocked one is unblocked': { ways: ['block'], schedule: 'unblock', reason: null },
  'one that was paused is unblocked': {
    ways: ['pause', 'block'],
    schedule: 'unblock',
    reason: 'LICENSE_PAUSED',
    since: now,
  },
  'a pending one starts and is paused at once': {
    isPending: true,
    schedule: 'pause',
    reason: 'LICENSE_PAUSED',
    since: at,
  },
  'a pending one starts': { isPending: true, reason: null },
  'an active one ends': { ends: at, reason: 'LICENSE_EXPIRED', since: at },
  'a paused one ends': { ways: ['pause'], ends: at, reason: 'LICENSE_PAUSED', since: now },
  'a blocked one ends': { ways: ['block'], ends: at, reason: 'LICENSE_BLOCKED', since: now },
  'a renewed one ends': { ends: at, isRenewed: true, reason: null },
  'one is paused and then ends': { schedule: 'pause', ends: later, reason: 'LICENSE_PAUSED', since: at },
  'one is resumed and then ends': {
    ways: ['pause'],
    schedule: 'resume',
    ends: later,
    reason: 'LICENSE_EXPIRED',
    since: later,
  },
  'one is resumed and ends in that moment': {
    ways: ['pause'],
    schedule: 'resume',
    ends: at,
    reason: 'LICENSE_EXPIRED',
    since: at,
  },
  'one is cancelled as it ends': { schedule: 'cancel', ends: at, reason: 'LICENSE_CANCELLED', since: at },
};

test.each(Object.keys(scenarios))(
  '%s: its grants read so at the instant, as they do when it is written',
  async (name) => {
    const { ways = [], schedule, ends, isRenewed, isPending, reason, since } = scenarios[name] as Scenario;
    const { live } = await newBusiness(api);
    api.setNow(now);
    if (isRenewed) await newLicense(api, live, { activationDate: '2026-05-01' });
    const { id, ids } = await newLicenseWithGrants(live, isPending ? { activationDate: '2026-04-01' } : {});
    if (ends) await endAt(id, ends, isRenewed);
    for (const event of ways) await changeLicense(api, live, event, id);
    if (schedule) expect((await changeLicense(api, live, schedule, id, { at })).userErrors).toEqual([]);
    const before = await seen(live, id, ids);
    api.setNow(new Date(Date.parse(at) - 1));
    expect(await seen(live, id, ids)).toEqual(before);
    api.setNow(later);
    const unwritten = await seen(live, id, ids);
    const statuses = reason ? ['REVOKED', 'REVOKED', 'REVOKED'] : ['DELIVERED', 'PENDING', 'FAILED'];
    expect(unwritten.grants.map(({ status }: any) => status)).toEqual(statuses);
    expect(unwritten.grants.map(({ revocationReason }: any) => revocationReason)).toEqual(Array(3).fill(reason));
    expect(unwritten.grants.map(({ revokedAt }: any) => revokedAt)).toEqual(Array(3).fill(since ?? null));
    expect(unwritten.queue).toEqual(reason ? [] : [1]);
    expect(unwritten.grants[0].licenseKey.status).toBe(schedule === 'cancel' ? 'DISABLED' : 'ACTIVE');
    expect(await runDueChanges(api, later)).toBeGreaterThan(0);
    expect(await seen(live, id, ids)).toEqual(unwritten);
    expect(await runDueChanges(api, later)).toBe(0);
  },
);

const fulfil = `mutation ($input: FulfillLicenseKeyGrantInput!) { fulfillLicenseKeyGrant(input: $input) {
  grant { status deliveredAt } userErrors { code ... on GrantNotPending { status } } } }`;
const claim = `mutation ($input: ClaimGrantInput!) { claimGrant(input: $input) {
  grant { status claimedBy } userErrors { code ... on GrantNotPending { status } } } }`;
const revoke = `mutation ($input: RevokeGrantInput!) { revokeGrant(input: $input) {
  grant { status revocationReason revokedAt } userErrors { code } } }`;
const send = async (token: string, query: string, input: object) => {
  const headers = { 'x-actor': 'Ann' };
  return Object.values(
    await api.call({ token, query, variables: { input }, headers }).then(({ data }) => data),
  )[0] as any;
};

test('what a due pause has taken back is neither claimed nor fulfilled, though nothing is written', async () => {
  const { live } = await newBusiness(api);
  api.setNow(now);
  const { id, ids } = await newLicenseWithGrants(live);
  await changeLicense(api, live, 'pause', id, { at });
  api.setNow(later);
  const before = await rowsOf(api);
  const refused = { grant: null, userErrors: [{ code: 'GRANT_NOT_PENDING', status: 'REVOKED' }] };
  expect(await send(live, claim, { grantId: ids[1] })).toEqual(refused);
  expect(await send(live, fulfil, { grantId: ids[1], key: 'TOO-LATE' })).toEqual(refused);
  expect(await rowsOf(api)).toBe(before);
});

test('what a due resume has given back is claimed and fulfilled; the job then finds it done, and does the rest', async () => {
  const { live } = await newBusiness(api);
  api.setNow(now);
  const { id, ids } = await newLicenseWithGrants(live);
  await changeLicense(api, live, 'pause', id);
  await changeLicense(api, live, 'resume', id, { at });
  api.setNow(later);
  expect(await send(live, claim, { grantId: ids[1] })).toEqual({
    grant: { status: 'PENDING', claimedBy: 'Ann' },
    userErrors: [],
  });
  expect(await send(live, fulfil, { grantId: ids[1], key: 'JUST-IN-TIME' })).toEqual({
    grant: { status: 'DELIVERED', deliveredAt: later },
    userErrors: [],
  });
  await runDueChanges(api, later);
  expect((await seen(live, id, ids)).grants.map(({ status }: any) => status)).toEqual([
    'DELIVERED',
    'DELIVERED',
    'FAILED',
  ]);
  expect(
    (await changesOf(api, ids[1] as string)).map(({ type, actor_kind, created_at }) => [type, actor_kind, created_at]),
  ).toEqual([
    ['entitlement_grant.created', 'API_KEY', new Date(now)],
    ['entitlement_grant.revoked', 'API_KEY', new Date(now)],
    ['entitlement_grant.restored', 'SYSTEM', new Date(at)],
    ['entitlement_grant.claimed', 'API_KEY', new Date(later)],
    ['entitlement_grant.delivered', 'API_KEY', new Date(later)],
  ]);
});

test('revoking by hand what a due pause has taken back keeps since when; what a due cancellation took stays its', async () => {
  const { live } = await newBusiness(api);
  api.setNow(now);
  const [paused, cancelled] = [await newLicenseWithGrants(live), await newLicenseWithGrants(live)];
  await changeLicense(api, live, 'pause', paused.id, { at });
  await changeLicense(api, live, 'cancel', cancelled.id, { at });
  api.setNow(later);
  const answer = (reason: string) => ({
    grant: { status: 'REVOKED', revocationReason: reason, revokedAt: at },
    userErrors: [],
  });
  expect(await send(live, revoke, { grantId: paused.ids[0] })).toEqual(answer('MANUAL'));
  expect(await send(live, revoke, { grantId: cancelled.ids[0] })).toEqual(answer('LICENSE_CANCELLED'));
  await runDueChanges(api, later);
  const reasons = async ({ id, ids }: { id: string; ids: string[] }) =>
    (await seen(live, id, ids)).grants.map(({ revocationReason }: any) => revocationReason);
  expect(await reasons(paused)).toEqual(['MANUAL', 'LICENSE_PAUSED', 'LICENSE_PAUSED']);
  expect(await reasons(cancelled)).toEqual(Array(3).fill('LICENSE_CANCELLED'));
});

const keyring = keyringOf(readConfig(testEnvironment));

async function deliveriesOf(grantId: string): Promise<Delivery[]> {
  return api.db.sql<Delivery>(null, `SELECT ${columnsOf('Delivery')} FROM deliveries WHERE grant_id = $1`, [
    rowId(grantId),
  ]);
}

test('a mail is withdrawn from the instant of a due pause on, and sent from that of a due resume on', async () => {
  const { live } = await newBusiness(api);
  api.setNow(now);
  const { id, ids } = await newLicenseWithGrants(live);
  const [delivery] = (await deliveriesOf(ids[0] as string)) as [Delivery];
  const mailAt = (instant: string) => licenseKeyMail(api.db, keyring, delivery, new Date(instant));
  await changeLicense(api, live, 'pause', id, { at });
  expect(await mailAt('2026-03-31T23:59:59.999Z')).not.toBeNull();
  expect(await mailAt(at)).toBeNull();
  api.setNow(at);
  await changeLicense(api, live, 'resume', id, { at: later });
  expect(await mailAt('2026-04-01T23:59:59.999Z')).toBeNull();
  expect(await mailAt(later)).not.toBeNull();
});

test.each([
  [['pause'], ['LICENSE_PAUSED'], ['resume']],
  [['block'], ['LICENSE_BLOCKED'], ['unblock']],
  [
    ['pause', 'block'],
    ['LICENSE_PAUSED', 'LICENSE_BLOCKED'],
    ['unblock', 'resume'],
  ],
] as [LicenseEvent[], string[], LicenseEvent[]][])(
  'a grant issued after %j is born taken back; its mail goes out when the license comes back',
  async (ways, causes, back) => {
    const { live } = await newBusiness(api);
    api.setNow(now);
    const { id, customerId } = await newLicenseWithGrants(live);
    for (const event of ways) await changeLicense(api, live, event, id);
    const auto = await newGrant(api, live, { customerId, licenseId: id });
    const entitlementId = await newEntitlement(api, live, { licenseKey: { fulfillmentMode: 'MANUAL' } });
    const manual = await newGrant(api, live, { customerId, licenseId: id, entitlementId });
    const born = (await grantsOf(live, id)).filter((grant) => [auto, manual].includes(grant.id));
    expect(
      born.map(({ status, revocationReason, revokedAt, deliveredAt }) => [
        status,
        revocationReason,
        revokedAt,
        deliveredAt,
      ]),
    ).toEqual(Array(2).fill(['REVOKED', causes[0], now, null]));
    expect(await deliveriesOf(auto)).toMatchObject([{ status: 'FAILED', failure: 'WITHDRAWN' }]);
    expect((await changesOf(api, auto)).map(({ type, sequence }) => [type, sequence])).toEqual([
      ['entitlement_grant.created', 1],
      ['entitlement_grant.revoked', 2],
    ]);
    expect((await changesOf(api, auto)).at(-1)?.snapshot).toMatchObject({ revocationCauses: causes });
    api.setNow(later);
    for (const event of back) await changeLicense(api, live, event, id);
    const come = (await grantsOf(live, id)).filter((grant) => [auto, manual].includes(grant.id));
    expect(come.map(({ status, revocationReason, deliveredAt }) => [status, revocationReason, deliveredAt])).toEqual([
      ['DELIVERED', null, later],
      ['PENDING', null, null],
    ]);
    expect(await deliveriesOf(auto)).toMatchObject([{ status: 'QUEUED', failure: null, enqueuedAt: null }]);
    expect((await changesOf(api, auto)).at(-1)).toMatchObject({
      type: 'entitlement_grant.delivered',
      before: { deliveredAt: null },
    });
  },
);

test('a grant issued on a license that has ended is born taken back, written or not; on a cancelled one it is refused', async () => {
  const { live } = await newBusiness(api);
  api.setNow(now);
  const { id, customerId } = await newLicenseWithGrants(live);
  await endAt(id, at);
  api.setNow(later);
  for (let round = 0; round < 2; round++) {
    const grantId = await newGrant(api, live, { customerId, licenseId: id });
    const grant = (await grantsOf(live, id)).find((one) => one.id === grantId);
    expect(grant).toMatchObject({
      status: 'REVOKED',
      revocationReason: 'LICENSE_EXPIRED',
      revokedAt: later,
      deliveredAt: null,
    });
    await runDueChanges(api, later);
    expect((await grantsOf(live, id)).find((one) => one.id === grantId)).toEqual(grant);
  }
});

test('where grants and keys stand costs the same number of statements for one as for many', async () => {
  const { live } = await newBusiness(api);
  api.setNow(now);
  const query = `query ($first: Int!) { grants(first: $first, where: { status: { in: [REVOKED] } }) {
    nodes { status revokedAt claimedBy licenseKey { status } } } }`;
  for (let i = 0; i < 4; i++) {
    const { id } = await newLicenseWithGrants(live);
    await changeLicense(api, live, 'pause', id, { at });
  }
  api.setNow(later);
  const count = async (first: number) => {
    let nodes: unknown[] = [];
    const statements = await api.countStatements(async () => {
      ({ nodes } = (await api.data({ token: live, query, variables: { first } })).grants);
    });
    expect(nodes).toHaveLength(first);
    return statements;
  };
  await count(3);
  expect(await count(12)).toBe(await count(3));
});

test.each([false, true])(
  'the key of a grant that was born taken back begins its time with the delivery (scheduled: %j)',
  async (isScheduled) => {
    const { live } = await newBusiness(api);
    api.setNow(now);
    const { id, customerId } = await newLicenseWithGrants(live);
    await changeLicense(api, live, 'pause', id);
    const entitlementId = await newEntitlement(api, live, { licenseKey: { duration: { count: 1, unit: 'MONTH' } } });
    const grantId = await newGrant(api, live, { customerId, licenseId: id, entitlementId });
    const query = 'query ($id: ID!) { grant(id: $id) { status deliveredAt licenseKey { id expiresAt version } } }';
    const grantOf = async () => (await api.data({ token: live, query, variables: { id: grantId } })).grant;
    const { licenseKey } = await grantOf();
    expect(licenseKey).toMatchObject({ expiresAt: '2026-04-01T10:00:00.000Z', version: 1 });
    // Reading the key counts as a change of it, but not of its expiry.
    await api.data({
      token: live,
      query: 'query ($id: ID!) { grant(id: $id) { licenseKey { key } } }',
      variables: { id: grantId },
    });
    if (isScheduled) await changeLicense(api, live, 'resume', id, { at: later });
    api.setNow(later);
    if (isScheduled) await runDueChanges(api, later);
    else await changeLicense(api, live, 'resume', id);
    const started = {
      status: 'DELIVERED',
      deliveredAt: later,
      licenseKey: { id: licenseKey.id, expiresAt: '2026-05-02T00:00:00.000Z', version: 3 },
    };
    expect(await grantOf()).toEqual(started);
    expect((await changesOf(api, licenseKey.id)).at(-1)).toMatchObject({
      type: 'license_key.updated',
      sequence: 3,
      before: { expiresAt: '2026-04-01T10:00:00.000Z' },
      after: { expiresAt: '2026-05-02T00:00:00.000Z' },
    });
    api.setNow('2026-04-03T00:00:00.000Z');
    await changeLicense(api, live, 'pause', id);
    await changeLicense(api, live, 'resume', id);
    expect(await grantOf()).toEqual(started);
  },
);

test('revoking by hand switches the key off, though the due cancellation that took it is dropped in this moment', async () => {
  const { live } = await newBusiness(api);
  api.setNow(now);
  const { id, ids } = await newLicenseWithGrants(live);
  await changeLicense(api, live, 'cancel', id, { at });
  const held = await holdRows(api, 'SELECT 1 FROM licenses WHERE id = $1 FOR UPDATE', [rowId(id)]);
  api.setNow(new Date(Date.parse(at) - 1));
  const dropped = changeLicense(api, live, 'cancelPending', id);
  await held.waiters(1);
  api.setNow(at);
  expect((await send(live, revoke, { grantId: ids[0] })).userErrors).toEqual([]);
  await held.release();
  expect((await dropped).userErrors).toEqual([]);
  await runDueChanges(api, later);
  const [grant] = (await seen(live, id, ids)).grants;
  expect(grant).toMatchObject({ status: 'REVOKED', licenseKey: { status: 'DISABLED' } });
});
