import { expect, test } from '@jest/globals';
import { statusOf } from '../../src/lifecycle/dueChanges.js';
import type { License } from '../../src/generated/prisma/client.js';
import { columnsOf } from '../../src/kernel/rows.js';
import { useApi } from '../support/api.js';
import { newApiKey, newBusiness, newCustomer, newSession } from '../support/business.js';
import { newPackage, newProductOffering } from '../support/catalog.js';
import { newKeyedOffering, newLicense, newPendingGrant, rowId } from '../support/licenses.js';

const api = useApi();

const now = '2026-03-10T12:00:00.000Z';
const [past, at, future] = ['2026-03-10T11:59:59.999Z', now, '2026-03-10T12:00:00.001Z'];

interface Row {
  status: string;
  validFrom: string;
  pendingStatus?: string;
  pendingStatusAt?: string;
}

/** Stored columns, and what the license is at `now` by them. */
const table: [Row, string][] = [
  [{ status: 'PENDING', validFrom: future }, 'PENDING'],
  [{ status: 'PENDING', validFrom: at }, 'ACTIVE'],
  [{ status: 'PENDING', validFrom: past }, 'ACTIVE'],
  [{ status: 'ACTIVE', validFrom: past }, 'ACTIVE'],
  [{ status: 'ACTIVE', validFrom: future }, 'ACTIVE'],
  [{ status: 'PAUSED', validFrom: past }, 'PAUSED'],
  [{ status: 'BLOCKED', validFrom: past }, 'BLOCKED'],
  [{ status: 'CANCELLED', validFrom: past }, 'CANCELLED'],
  [{ status: 'PENDING', validFrom: future, pendingStatus: 'CANCELLED', pendingStatusAt: past }, 'CANCELLED'],
  [{ status: 'PENDING', validFrom: past, pendingStatus: 'CANCELLED', pendingStatusAt: at }, 'CANCELLED'],
  [{ status: 'PENDING', validFrom: past, pendingStatus: 'CANCELLED', pendingStatusAt: future }, 'ACTIVE'],
  [{ status: 'ACTIVE', validFrom: past, pendingStatus: 'PAUSED', pendingStatusAt: at }, 'PAUSED'],
  [{ status: 'ACTIVE', validFrom: past, pendingStatus: 'PAUSED', pendingStatusAt: future }, 'ACTIVE'],
  [{ status: 'PAUSED', validFrom: past, pendingStatus: 'ACTIVE', pendingStatusAt: past }, 'ACTIVE'],
  [{ status: 'BLOCKED', validFrom: past, pendingStatus: 'CANCELLED', pendingStatusAt: past }, 'CANCELLED'],
];

async function store(id: string, { status, validFrom, pendingStatus, pendingStatusAt }: Row): Promise<void> {
  await api.db.sql(
    null,
    `UPDATE licenses SET status = $2::license_status, valid_from = $3, pending_status = $4, pending_status_at = $5,
      activated_at = NULL, cancelled_at = CASE WHEN $2 = 'CANCELLED' THEN $3::timestamptz END,
      status_before_block = CASE WHEN $2 = 'BLOCKED' THEN 'ACTIVE'::license_status END WHERE id = $1`,
    [rowId(id), status, validFrom, pendingStatus ?? null, pendingStatusAt ?? null],
  );
}

test('the rule, the filter and the field agree on the effective status of every case', async () => {
  const { live } = await newBusiness(api);
  const fields = { productOfferingId: await newProductOffering(api, live), customerId: await newCustomer(api, live) };
  const expected = new Map<string, string>();
  for (const [row, status] of table) {
    const id = await newLicense(api, live, fields);
    await store(id, row);
    expected.set(id, status);
    const [stored] = await api.db.sql<License>(null, `SELECT ${columnsOf('License')} FROM licenses WHERE id = $1`, [
      rowId(id),
    ]);
    expect([row, statusOf(stored as License, new Date(now))]).toEqual([row, status]);
  }
  api.setNow(now);
  for (const status of ['PENDING', 'ACTIVE', 'PAUSED', 'BLOCKED', 'CANCELLED']) {
    const { licenses } = await api.data({
      token: live,
      query: `query ($in: [LicenseStatus!]!) { licenses(first: 100, where: { status: { in: $in } }) { nodes { id status } } }`,
      variables: { in: [status] },
    });
    const ids = [...expected].filter(([, effective]) => effective === status).map(([id]) => ({ id, status }));
    expect(licenses.nodes).toHaveLength(ids.length);
    expect(licenses.nodes).toEqual(expect.arrayContaining(ids));
  }
  api.setNow(null);
});

test('what came by itself reads as if it had been written at its instant', async () => {
  const { live } = await newBusiness(api);
  const query = `query ($id: ID!) { license(id: $id) {
    status activatedAt pausedAt cancelledAt pendingStatus { status scheduledAt } isActive validity } }`;
  const read = async (row: Row, instant: string) => {
    const id = await newLicense(api, live);
    await store(id, row);
    api.setNow(instant);
    const { license } = await api.data({ token: live, query, variables: { id } });
    api.setNow(null);
    return license;
  };
  const nothing = { pausedAt: null, cancelledAt: null, pendingStatus: null };
  expect(await read({ status: 'PENDING', validFrom: past }, now)).toEqual({
    ...nothing,
    status: 'ACTIVE',
    activatedAt: past,
    isActive: true,
    validity: 'CURRENT',
  });
  const cancelled = { status: 'PENDING', validFrom: past, pendingStatus: 'CANCELLED', pendingStatusAt: at };
  expect(await read(cancelled, now)).toEqual({
    ...nothing,
    status: 'CANCELLED',
    activatedAt: past,
    cancelledAt: at,
    isActive: false,
    validity: 'CURRENT',
  });
  const paused = { status: 'ACTIVE', validFrom: past, pendingStatus: 'PAUSED', pendingStatusAt: future };
  expect((await read(paused, now)).pendingStatus).toEqual({ status: 'PAUSED', scheduledAt: future });
  expect(await read(paused, future)).toMatchObject({ status: 'PAUSED', pausedAt: future, pendingStatus: null });
});

test('the window is half-open and tells validity, isActive and isPermanent', async () => {
  const { live } = await newBusiness(api);
  const id = await newLicense(api, live, { activationDate: '2026-03-01' });
  await api.db.sql(null, `UPDATE licenses SET valid_until = '2026-03-02T00:00:00Z' WHERE id = $1`, [rowId(id)]);
  const seen: unknown[] = [];
  for (const instant of ['02-28T23:59:59.999', '03-01T00:00:00.000', '03-01T23:59:59.999', '03-02T00:00:00.000']) {
    api.setNow(`2026-${instant}Z`);
    const query = 'query ($id: ID!) { license(id: $id) { status validity isActive isPermanent validUntil } }';
    seen.push(Object.values((await api.data({ token: live, query, variables: { id } })).license));
  }
  api.setNow(null);
  const until = '2026-03-02T00:00:00.000Z';
  expect(seen).toEqual([
    ['ACTIVE', 'NOT_STARTED', false, false, until],
    ['ACTIVE', 'CURRENT', true, false, until],
    ['ACTIVE', 'CURRENT', true, false, until],
    ['ACTIVE', 'EXPIRED', false, false, until],
  ]);
});

test('licenses are found by every filter, and unknown or malformed ids match nothing', async () => {
  const { live } = await newBusiness(api);
  const customerId = await newCustomer(api, live);
  const productOfferingId = await newProductOffering(api, live, { licenseType: 'pro' });
  const id = await newLicense(api, live, {
    customerId,
    productOfferingId,
    assignedTo: { type: 'SITE', id: 'berlin' },
    activationDate: '2026-01-15',
    metadata: { tier: 'gold' },
  });
  await api.db.sql(null, `UPDATE licenses SET valid_until = '2027-01-15T00:00:00Z' WHERE id = $1`, [rowId(id)]);
  const other = await newLicense(api, live, { metadata: { tier: 'silver' } });
  const query = 'query ($where: LicenseWhere) { licenses(where: $where) { nodes { id number } totalCount } }';
  const found = async (where: object) => {
    const { licenses } = await api.data({ token: live, query, variables: { where } });
    expect(licenses.totalCount).toBe(licenses.nodes.length);
    return licenses.nodes.map((node: { id: string }) => node.id);
  };
  const { license } = await api.data({
    token: live,
    query: 'query ($id: ID!) { license(id: $id) { number } }',
    variables: { id },
  });
  for (const where of [
    { id: { in: [id, 'nonsense'] } },
    { number: { in: [license.number] } },
    { customerId: { in: [customerId] } },
    { productOfferingId: { in: [productOfferingId] } },
    { type: { in: ['pro', 'enterprise'] } },
    { assignedToId: { in: ['berlin'] } },
    { validFrom: { gte: '2026-01-15', lt: '2026-01-15T00:00:00.001Z' } },
    { validUntil: { gte: '2027-01-01', lt: '2027-02-01' } },
    { createdAt: { gte: '2000-01-01' }, metadata: { key: 'tier', eq: 'gold' } },
    { status: { in: ['ACTIVE'] }, type: { in: ['pro'] } },
  ]) {
    expect([where, await found(where)]).toEqual([where, [id]]);
  }
  for (const where of [
    { id: { in: [] } },
    { id: { in: ['nonsense', customerId] } },
    { packageId: { in: [await newPackage(api, live)] } },
    { createdAt: { lt: '2000-01-01' } },
    { status: { in: ['PENDING'] } },
    { type: { in: ['pro'] }, metadata: { key: 'tier', eq: 'silver' } },
  ]) {
    expect([where, await found(where)]).toEqual([where, []]);
  }
  expect(await found({})).toEqual([other, id]);
  const byStart = '{ licenses(orderBy: { field: VALID_FROM, direction: ASC }) { nodes { id } } }';
  const { licenses } = await api.data({ token: live, query: byStart });
  expect(licenses.nodes).toEqual([{ id }, { id: other }]);
});

test('pages of licenses that share an instant have no gaps or repeats, forward and backward', async () => {
  const { live } = await newBusiness(api);
  const fields = { productOfferingId: await newProductOffering(api, live), customerId: await newCustomer(api, live) };
  api.setNow(now);
  const ids: string[] = [];
  for (let i = 0; i < 7; i++) ids.unshift(await newLicense(api, live, fields));
  api.setNow(null);
  const query = `query ($first: Int, $after: String, $last: Int, $before: String) {
    licenses(first: $first, after: $after, last: $last, before: $before) {
      nodes { id } pageInfo { hasNextPage hasPreviousPage startCursor endCursor } } }`;
  const seen: string[] = [];
  let variables: Record<string, unknown> = { first: 3 };
  for (let more = true; more;) {
    const { licenses } = await api.data({ token: live, query, variables });
    seen.push(...licenses.nodes.map((node: { id: string }) => node.id));
    more = licenses.pageInfo.hasNextPage;
    variables = { first: 3, after: licenses.pageInfo.endCursor };
  }
  expect(seen).toEqual(ids);
  const { licenses } = await api.data({ token: live, query, variables: { last: 2 } });
  expect(licenses.nodes.map((node: { id: string }) => node.id)).toEqual(ids.slice(-2));
  expect(licenses.pageInfo).toMatchObject({ hasNextPage: false, hasPreviousPage: true });
});

test('a foreign license, or one of the other mode, answers as an unknown one, in every place', async () => {
  const [mine, theirs] = [await newBusiness(api), await newBusiness(api)];
  const id = await newLicense(api, theirs.live);
  const query = `query ($id: ID!) { license(id: $id) { id } node(id: $id) { id } licenses(where: { id: { in: [$id] } }) { nodes { id } } }`;
  for (const token of [mine.live, theirs.test]) {
    expect(await api.data({ token, query, variables: { id } })).toEqual({
      license: null,
      node: null,
      licenses: { nodes: [] },
    });
  }
  expect(await api.data({ token: theirs.live, query, variables: { id } })).toEqual({
    license: { id },
    node: { id },
    licenses: { nodes: [{ id }] },
  });
});

test('a session sees its own licenses, keys and grants; a narrow key sees what its scopes say', async () => {
  const { live } = await newBusiness(api);
  const customerId = await newCustomer(api, live, { email: 'own@example.com' });
  const productOfferingId = await newKeyedOffering(api, live);
  const own = await newLicense(api, live, { productOfferingId, customerId });
  const other = await newLicense(api, live, { productOfferingId });
  const session = await newSession(api, live, customerId);
  const query = `query ($own: ID!, $other: ID!) {
    own: license(id: $own) { id customer { name email } licenseKeys { source } grants { status } }
    other: license(id: $other) { id } otherNode: node(id: $other) { id } licenses { nodes { id } } }`;
  expect(await api.data({ token: session, query, variables: { own, other } })).toEqual({
    own: {
      id: own,
      customer: { name: 'Erika Mustermann', email: 'own@example.com' },
      licenseKeys: [{ source: 'AUTO' }],
      grants: [{ status: 'DELIVERED' }],
    },
    other: null,
    otherNode: null,
    licenses: { nodes: [{ id: own }] },
  });
  const narrow = await newApiKey(api, live, ['LICENSES_READ']);
  const answer = await api.call({
    token: narrow,
    query: `query ($own: ID!) { license(id: $own) {
      id customer { id name email } licenseKeys { id } grants { id } order { id } history { nodes { id } } } }`,
    variables: { own },
  });
  expect(answer.data.license).toEqual({
    id: own,
    customer: { id: customerId, name: 'Erika Mustermann', email: null },
    licenseKeys: null,
    grants: null,
    order: null,
    history: null,
  });
  expect(answer.errors?.every(({ extensions }) => extensions.code === 'FORBIDDEN')).toBe(true);
});

test('fifty licenses with their relations take as many statements as five', async () => {
  const { live } = await newBusiness(api);
  const productOfferingId = await newKeyedOffering(api, live);
  for (let i = 0; i < 50; i++) await newLicense(api, live, { productOfferingId });
  const query = `query ($first: Int) { licenses(first: $first) { nodes {
    customer { name email } productOffering { name product { sku } } order { number }
    licenseKeys { maskedKey licenses { number } } grants { paymentId entitlement { name } deliveries { status } } } } }`;
  const count = async (first: number) => {
    // The token is remembered for a second, so that its look-up is not counted.
    await api.data({ token: live, query: '{ __typename }' });
    return api.countStatements(async () => {
      const { licenses } = await api.data({ token: live, query, variables: { first } });
      expect(licenses.nodes).toHaveLength(first);
      expect(licenses.nodes.at(-1)).toMatchObject({ licenseKeys: [{}], grants: [{ deliveries: [{}] }] });
    });
  };
  const five = await count(5);
  expect(await count(50)).toBe(five);
  expect(five).toBe(9);
});

test('licenses and grants of many customers are one statement each, with filters of their own', async () => {
  const { live } = await newBusiness(api);
  const productOfferingId = await newProductOffering(api, live);
  const customers: string[] = [];
  for (let i = 0; i < 4; i++) {
    const customerId = await newCustomer(api, live);
    customers.push(customerId);
    for (let j = 0; j <= i; j++) await newLicense(api, live, { productOfferingId, customerId });
    await newPendingGrant(api, live, { customerId });
  }
  const query = `{ customers(orderBy: { direction: ASC }) { nodes { id
    licenses(first: 2, where: { status: { in: [ACTIVE] } }) { totalCount nodes { customer { id } } pageInfo { hasNextPage } }
    grants(where: { status: { in: [PENDING] } }) { totalCount nodes { customerId } } } } }`;
  let nodes: unknown[] = [];
  const statements = await api.countStatements(async () => {
    ({ nodes } = (await api.data({ token: live, query })).customers);
  });
  expect(nodes).toEqual(
    customers.map((id, i) => ({
      id,
      licenses: {
        totalCount: i + 1,
        nodes: Array.from({ length: Math.min(2, i + 1) }, () => ({ customer: { id } })),
        pageInfo: { hasNextPage: i >= 2 },
      },
      grants: { totalCount: 1, nodes: [{ customerId: id }] },
    })),
  );
  expect(statements).toBeLessThanOrEqual(8);
});
